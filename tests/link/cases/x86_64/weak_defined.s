# A weak definition that has no rival is used.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 0) = callee - next_pc(main)
# jitlink-check: *{8}pointer = callee
	.text
	.globl	main
main:
	callq	callee
	ret
	.size	main, . - main
	.globl	pointer
pointer:
	.quad	callee
	.size	pointer, . - pointer
	.weak	callee
	.section	.text.callee,"ax",@progbits
callee:
	ret
	.size	callee, . - callee
