# Local exec: the offset from the thread pointer stands in the instruction.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: its thread-local storage needs the ORC runtime's native platform; kind unsupported without

# jitlink-check: (*{4}(main + 5)) = (*{8}offset)[31:0]
# jitlink-check: ((*{4}(second + 3)) - (*{4}(main + 5)))[31:0] = 8
	.text
	.globl	main
main:
	movq	%fs:x@TPOFF, %rax
	.size	main, . - main
	.globl	second
second:
	leaq	y@TPOFF(%rdi), %rcx
	ret
	.size	second, . - second
	.globl	offset
offset:
	.quad	x@TPOFF
	.size	offset, . - offset
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
