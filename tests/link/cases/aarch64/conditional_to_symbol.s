# Conditional branches to symbols elsewhere: compare-and-branch, flags, one bit.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 1)  = (other - main)[20:2]
# jitlink-check: decode_operand(flags, 1) = (other - flags)[20:2]
# jitlink-check: decode_operand(bit, 2) = (other - bit)[15:2]
	.text
	.globl	main
main:
	cbnz	w1, other
	.size	main, . - main
	.globl	flags
flags:
	b.ne	other
	.size	flags, . - flags
	.globl	bit
bit:
	tbnz	w2, #3, other
	ret
	.size	bit, . - bit
	.section	.text.other,"ax",@progbits
	.globl	other
other:
	ret
	.size	other, . - other
