# R_X86_64_8 refuses 2^8.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x100
# expect: error R_X86_64_8 .*out of range

	.text
	.globl	main
main:
	.byte	target
	.size	main, . - main
