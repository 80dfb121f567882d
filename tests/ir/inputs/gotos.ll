; Block addresses: in the function itself, in a table beside it, in another function.
target triple = "x86_64-pc-linux-gnu"

@table = internal unnamed_addr constant [2 x ptr] [ptr blockaddress(@interpret, %add), ptr blockaddress /* why
  not */ ( ; "
  @interpret, %done)]
@elsewhere = global ptr blockaddress(@interpret, %add)
@both = global [2 x ptr] [ptr blockaddress(@left, %l), ptr blockaddress(@right, %r)]
@alone = global i32 0

define i32 @interpret(i32 %op) {
  %slot = getelementptr [2 x ptr], ptr @table, i32 0, i32 %op
  %to = load ptr, ptr %slot
  indirectbr ptr %to, [label %add, label %done]
add:
  store ptr blockaddress(@interpret, %done), ptr @elsewhere
  br label %done
done:
  %r = call i32 @interpret(i32 %op)
  ret i32 %r
}

define void @left() {
  br label %l
l:
  ret void
}
define internal void @right() {
  br label %r
r:
  call void @apart()
  ret void
}
define void @apart() { store i32 1, ptr @alone ret void }
define ptr @reader() { ret ptr blockaddress(@apart2, %x) }
define void @apart2() {
  br label %x
x:
  ret void
}
