# R_AARCH64_MOVW_SABS_G0 takes 17 bits with the sign: 2^16 is too large.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x10000
# expect: error R_AARCH64_MOVW_SABS_G0 .*out of range
# peer: kind unsupported

	.text
	.globl	main
main:
	movz	x0, #:abs_g0_s:target
	.size	main, . - main
