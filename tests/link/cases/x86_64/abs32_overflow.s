# R_X86_64_32 refuses 2^32: it would be read back as 0.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x100000000
# expect: error R_X86_64_32 .*out of range

	.text
	.globl	main
main:
	.long	target
	.size	main, . - main
