; Types that are not structs must come before their uses; others may come after.
%array = type [4 x i32]
%alias = type %array
%late = type { %later, ptr }
%later = type { %alias }
%3 = type { %7 }
%7 = type { i8 }
%unused = type { %3 }
%T = type { i32 }
%"a b" = type { %"c\22d" }
%"c\22d" = type { i8 }
declare void @take(ptr byval(%later))
@holder = global %late zeroinitializer
@number = global %3 zeroinitializer
define void @f(ptr %T) {
  %late = alloca %late
  %p = getelementptr %T, ptr %T, i32 0
  %q = alloca %"a b"
  call void @take(ptr byval(%later) %late)
  ret void
}
define void @g(ptr sret(%3) %x, i32 %0) { %unused = add i32 %0, 1 ret void }
define %alias @h() { %x = load %alias, ptr @holder ret %alias %x }
