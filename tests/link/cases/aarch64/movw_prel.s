# A distance in pieces: the upper one checked and signed, the lower one not (MOVW_PREL).
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8124
# expect: success
# peer: kind unsupported

# jitlink-check: decode_operand(main, 1) = (target - main)[31:16]
# jitlink-check: decode_operand(low, 2) = (target - low)[15:0]
	.text
	.globl	main
main:
	movz	x0, #:prel_g1:target
	.size	main, . - main
	.globl	low
low:
	movk	x0, #:prel_g0_nc:target
	ret
	.size	low, . - low
