# R_AARCH64_MOVW_UABS_G0 checks that no higher bit is set.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x10000
# expect: error R_AARCH64_MOVW_UABS_G0 .*out of range
# peer: kind unsupported

	.text
	.globl	main
main:
	movz	x0, #:abs_g0:target
	.size	main, . - main
