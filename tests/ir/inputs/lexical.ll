; Every lexical freedom that LLVM's assembly grants: "quotes { in comments", /* and so on.
/* a block comment with ; and " and { in it */ source_filename = "le\22xi}cal.c" target
  datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
target triple /* here too */ = "x86_64-pc-linux-gnu"
module asm "# {{{ not \22 balanced" module asm ".globl from_asm" module asm "from_asm: ret"

%"quoted type \7B" = type { i32, %nested, [2 x %0] } %nested = type <{ ptr, i8 }> %0 = type { i64 }
%opaque = type opaque
%word = type i32
%recursive = type { ptr, %recursive2 } %recursive2 = type { [2 x ptr] }

$"group \7B" = comdat any $plain = comdat nodeduplicate

@one = global i32 1 @two = global i32 2, align 4 ; @not_there = global i32 3
@"with space" = global i32 3 @"tab\09and\5Cslash" = global i32 4
@"\01under" = global i32 5 @0 = private unnamed_addr constant [4 x i8] c"}{\22\00"
@7 = internal global [2 x ptr] [ptr @0,
                                ptr ; a comment { between
                                @"with space"]
@-1 = global i32 6
@$dollar.name-x = constant { i32, { ptr, [2 x i8] } } { i32 7, { ptr, [2 x i8] }
  { ptr getelementptr inbounds ({ i32, [2 x i8] }, ptr @struct, i64 0, i32 1), [2 x i8] c"\5C}" } }
@struct = global <{ i32, [2 x i8] }> <{ i32 1, [2 x i8] zeroinitializer }>, section ".da{ta"
@typed = global %word 8
@holder = global %"quoted type \7B" zeroinitializer, comdat($"group \7B"), !note !3, !more !{!"}", i32 1}
@attributed = global i32 9 #1
@text = internal constant [11 x i8] c"a{b;c\22@two\00"

declare void @sink(ptr, ...) declare i32
  @"split over"(
    i32 %0, ; {
    ptr byval(%"quoted type \7B")) #0

define i32 @f(i32 %x) /* { */ #0 { ; } {
  %y = add i32 %x, 1 %z = mul i32 %y, 2 br label %"label { @one" ; }
"label { @one":
  call void (ptr, ...) @sink(ptr @"tab\09and\5cslash", ptr @0, ptr @"\77ith space")
  %"local }" = load %word, ptr @typed
  %pair = insertvalue { i32, { i32 } } undef, i32 %"local }", 0 br label %"next }"
"next }": %r = call i32 @g /* why } not */ (i32 %z), !note !0
  %s = call i32 asm sideeffect "# {{ $0 \22 }", "=r"() #2
  ret i32 %r
} define i32 @g(i32 %0) { %2 = call i32 @f(i32 %0) %3 = call i32 @"quoted \7b name"() ret i32 %2 }
define internal i32 @"quoted { name"() { ret i32 ptrtoint (ptr @7 to i32) }
define {{ i32 }, ptr} @pair() prefix { i32, [1 x { i8 }] } { i32 1, [1 x { i8 }] [{ i8 } { i8 2 }] }
  prologue i8 144 personality ptr @personality !note !{!"{", !0} { ret { { i32 }, ptr } zeroinitializer }
define void @12() prefix ptr getelementptr (i8, ptr @one, i64 1) { call void @12() ret void }
declare i32 @personality(...)

attributes #0 = { nounwind "odd"="}{" "=" "x"="#1 { \22" } attributes #1 = { "bss-section"="b" }
attributes #2 = { nounwind }

!0 = !{!"string with } and \22 and !1", !1} !1 = distinct !{!1, i32 5, ptr @two} !named.one = !{!0, !1}
!odd\2Dname = !{!3}
!3 = !{!"unused", !{!"nested", !0},
  float 1.0}
^0 = module: (path: "x}{", hash: (1, 2, 3, 4, 5))
^1 = gv: (name: "f", summaries: (function: (module: ^0, flags: (linkage: external), insts: 2)))
