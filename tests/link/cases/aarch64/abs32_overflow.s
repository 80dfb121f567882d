# R_AARCH64_ABS32 refuses 2^32.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x100000000
# expect: error R_AARCH64_ABS32 .*out of range

	.text
	.globl	main
main:
	.word	target
	.size	main, . - main
