# A function of the object itself has its address in the GOT too.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}(got_addr(case.o, callee)) = callee
# jitlink-check: decode_operand(low, 2) = (got_addr(case.o, callee))[11:3]
	.text
	.globl	main
main:
	adrp	x0, :got:callee
	.size	main, . - main
	.globl	low
low:
	ldr	x0, [x0, :got_lo12:callee]
	ret
	.size	low, . - low
	.globl	callee
callee:
	ret
	.size	callee, . - callee
