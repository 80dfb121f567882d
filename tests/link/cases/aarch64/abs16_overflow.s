# R_AARCH64_ABS16 refuses 2^16.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x10000
# expect: error R_AARCH64_ABS16 .*out of range
# peer: kind unsupported

	.text
	.globl	main
main:
	.hword	target
	.size	main, . - main
