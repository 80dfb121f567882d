# R_X86_64_16 refuses 2^16.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x10000
# expect: error R_X86_64_16 .*out of range

	.text
	.globl	main
main:
	.short	target
	.size	main, . - main
