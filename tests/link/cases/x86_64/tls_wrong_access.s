# An ordinary access to a thread-local variable would reach its initial data: an error.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error R_X86_64_PC32 .*thread-local
# peer: it links the access to the initial data

	.text
	.globl	main
main:
	movq	x(%rip), %rax
	ret
	.size	main, . - main
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
