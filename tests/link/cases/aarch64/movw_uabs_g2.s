# R_AARCH64_MOVW_UABS_G2 is the last of a constant of 48 bits.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0xffffffffffff
# expect: success
# peer: kind unsupported

# jitlink-check: decode_operand(main, 1) = 0xffff
	.text
	.globl	main
main:
	movz	x0, #:abs_g2:target
	ret
	.size	main, . - main
