; Every linkage, visibility and attachment of the @ namespace.
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple = "x86_64-pc-linux-gnu"

%pair = type { i32, ptr }

$inline_function = comdat any
$inline_static = comdat any
$keyed = comdat any
$alone = comdat nodeduplicate

@external_data = dso_local global i32 1, align 4
@hidden_data = hidden global i32 2, align 4
@protected_data = protected global i32 3
@internal_data = internal global i32 4
@private_data = private global i32 5
@weak_data = weak global i32 6
@weak_odr_data = weak_odr constant i32 7
@linkonce_data = linkonce global i32 8
@linkonce_odr_data = linkonce_odr global i32 9
@common_data = common dso_local global [64 x i8] zeroinitializer, align 16
@appended = appending global [1 x i32] [i32 10]
@inline_static = linkonce_odr global i32 11, comdat, align 4
@inline_guard = linkonce_odr global i64 0, comdat($inline_static), align 8
@alone = global i32 12, comdat
@available = available_externally constant i32 13
@declared = external global i32, align 4
@declared_hidden = external hidden global i32
@declared_weak = extern_weak global i32
@declared_local = external dso_local constant i32
@metadata_text = private unnamed_addr constant [2 x i8] c"m\00", section "llvm.metadata"
@llvm.used = appending global [2 x ptr] [ptr @internal_function, ptr @internal_data], section "llvm.metadata"
@llvm.compiler.used = appending global [1 x ptr] [ptr @private_data], section "llvm.metadata"
@llvm.global_ctors = appending global [2 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 65535, ptr @constructor, ptr null }, { i32, ptr, ptr } { i32 101, ptr @weak_function, ptr @inline_static }]
@llvm.global_dtors = appending global [1 x { i32, ptr, ptr }] [{ i32, ptr, ptr } { i32 -1, ptr @internal_function, ptr null }]

@string = private unnamed_addr constant [6 x i8] c"hello\00", align 1
@strings = internal unnamed_addr constant [2 x ptr] [ptr @string, ptr @other_string], align 16
@other_string = private unnamed_addr constant [3 x i8] c"hi\00", align 1
@cyclic = internal unnamed_addr constant [2 x ptr] [ptr @cyclic, ptr @internal_function]
@aliased_text = private unnamed_addr constant [2 x i8] c"a\00"
@text_alias = internal alias [2 x i8], ptr @aliased_text
@addressed = private constant i32 14
@placed = private unnamed_addr constant i32 15, section "mine"
@functions = global [3 x ptr] [ptr @internal_function, ptr dso_local_equivalent @external_function, ptr no_cfi @weak_function]

@tls_data = thread_local(initialexec) global i32 16
@tls_internal = internal thread_local(localexec) global i32 17
@tls_hidden = hidden thread_local(localdynamic) global i32 18
@tls_declared = external thread_local global i32
@tls_alias = thread_local alias i32, ptr @tls_data

@0 = global i32 19
@1 = private unnamed_addr constant [2 x i8] c"1\00"
@2 = internal global ptr @0
@"needs quotes" = internal global i32 20
@typed = global %pair { i32 1, ptr @external_data }, !type !10
@link_order = global i32 21, section "linked", !associated !11
@spaced = addrspace(1) global i32 22
@spaced_alias = alias i32, ptr addrspace(1) @spaced
@coded = global i32 23, code_model "large", align 8
@sanitized = global i32 24, no_sanitize_address, no_sanitize_hwaddress, align 4
@initialized = externally_initialized global i32 25
@partitioned = global i32 26, partition "part1"

@alias_of_data = alias i32, ptr @external_data
@alias_inside = hidden alias ptr, getelementptr inbounds (%pair, ptr @typed, i32 0, i32 1)
@alias_of_function = alias i32 (i32), ptr @external_function
@alias_of_alias = alias i32 (i32), ptr @alias_of_function
@weak_alias = weak alias i32 (i32), ptr @external_function
@internal_alias = internal alias i32 (i32), ptr @internal_function
@alias_in_function = alias i8, getelementptr (i8, ptr @external_function, i64 1)
@alias_of_nothing = alias i8, inttoptr (i64 4096 to ptr)
@resolved = ifunc i32 (i32), ptr @resolver
@internal_resolved = internal ifunc i32 (i32), ptr @resolver

declare i32 @external_declared(i32)
declare extern_weak void @maybe()
declare hidden void @declared_hidden_function()
declare dso_local void @declared_local_function() align 16
declare i32 @__gxx_personality_v0(...)
declare void @llvm.memcpy.p0.p0.i64(ptr, ptr, i64, i1)
declare !note !12 void @noted(ptr nocapture readonly) #0

define dso_local i32 @external_function(i32 %x) local_unnamed_addr #0 align 32 {
  %a = call i32 @internal_function(i32 %x)
  %b = call i32 @weak_function(i32 %a)
  %c = call i32 @alias_of_alias(i32 %b)
  %d = call i32 @weak_alias(i32 %c)
  %e = call i32 @resolved(i32 %d)
  %f = call i32 @external_declared(i32 %e)
  %g = call i32 @internal_alias(i32 %f)
  %h = call i32 @linkonce_odr_function(i32 %g)
  %i = call i32 @internal_resolved(i32 %h)
  ret i32 %i
}

define internal fastcc noundef i32 @private_helper(i32 %x) unnamed_addr #1 {
  ret i32 %x
}

define internal i32 @internal_function(i32 %x) {
  %p = load ptr, ptr @strings
  %a = load i32, ptr @internal_data
  %b = load i32, ptr @common_data
  %c = call fastcc i32 @private_helper(i32 %a)
  store ptr @internal_function, ptr @functions
  store ptr @cyclic, ptr @2
  store ptr @text_alias, ptr @alias_inside
  store ptr @addressed, ptr @placed
  %d = load i32, ptr @alias_of_data
  %e = load i32, ptr @available
  %t = call ptr @llvm.threadlocal.address.p0(ptr @tls_internal)
  %u = load i32, ptr @tls_alias
  %v = load i32, ptr @tls_declared
  %w = load i32, ptr addrspace(1) @spaced_alias
  %y = load i8, ptr @alias_in_function
  %z = load i8, ptr @alias_of_nothing
  call void @noted(ptr @1)
  call void @llvm.memcpy.p0.p0.i64(ptr @common_data, ptr @string, i64 2, i1 false)
  ret i32 %x
}

define weak i32 @weak_function(i32 %x) {
  %y = call i32 @weak_function(i32 %x)
  ret i32 %y
}
define weak_odr hidden i32 @weak_odr_function(i32 %x) { ret i32 %x }
define linkonce i32 @linkonce_function(i32 %x) { ret i32 %x }
define linkonce_odr i32 @linkonce_odr_function(i32 %x) section ".text.keyed" comdat($keyed) { ret i32 %x }
define linkonce_odr void @keyed() comdat { ret void }
define private void @private_function() { ret void }
define available_externally i32 @available_function(i32 %x) { ret i32 %x }
define protected void @protected_function() { ret void }
define void @constructor() section ".text.startup" { store i32 0, ptr @inline_static store i64 1, ptr @inline_guard ret void }

define linkonce_odr dso_local void @inline_function() comdat personality ptr @__gxx_personality_v0 {
  invoke void @maybe() to label %done unwind label %pad
pad:
  %l = landingpad { ptr, i32 } cleanup catch ptr @typed catch ptr null
  resume { ptr, i32 } %l
done:
  %x = call i32 @available_function(i32 1)
  call void @declared_hidden_function()
  call void @declared_local_function()
  store i32 %x, ptr @declared
  store i32 %x, ptr @declared_weak
  store i32 %x, ptr @declared_hidden
  ret void
}

define ptr @resolver() { ret ptr @private_helper }
define i32 @variadic(i32 %n, ...) {
  %list = alloca [1 x { i32, i32, ptr, ptr }]
  call void @llvm.va_start.p0(ptr %list)
  call void @llvm.va_end.p0(ptr %list)
  ret i32 %n
}
declare void @llvm.va_start.p0(ptr)
declare void @llvm.va_end.p0(ptr)
define i32 @tail(i32 %n, ...) {
  %r = musttail call i32 (i32, ...) @variadic(i32 %n, ...)
  ret i32 %r
}
define void @3() gc "shadow-stack" prefix i32 7 prologue i32 8 { call void @3() ret void }
define internal void @4() { call void @3() store ptr @4, ptr @0 ret void }
define void @attributed() noinline partition "part1" !note !12 !other !{!13, i32 1} { call void @4() ret void }
define void @uses_metadata() {
  call void @private_function(), !callees !14, !srcloc !15
  %x = load ptr, ptr @2, !nonnull !16, !tbaa !17
  ret void
}

attributes #0 = { nounwind "frame-pointer"="all" }
attributes #1 = { alwaysinline }
!llvm.module.flags = !{!0, !1, !2, !3}
!llvm.ident = !{!4}
!0 = !{i32 1, !"wchar_size", i32 4}
!1 = !{i32 7, !"PIE Level", i32 2}
!2 = !{i32 8, !"PIC Level", i32 2}
!3 = !{i32 5, !"CG Profile", !5}
!4 = !{!"nobody"}
!5 = !{!6}
!6 = !{ptr @weak_function, ptr @constructor, i64 5}
!10 = !{i64 0, !"typed"}
!11 = !{ptr @constructor}
!12 = !{!"note", !13}
!13 = distinct !{!13}
!14 = !{ptr @private_function, ptr @internal_function}
!15 = !{i64 1}
!16 = !{}
!17 = !{!18, !18, i64 0}
!18 = !{!"any", !19}
!19 = !{!"root"}
