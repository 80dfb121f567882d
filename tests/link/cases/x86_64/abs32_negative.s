# R_X86_64_32 is zero-extended by its reader, so -1 doesn't fit.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0
# expect: error R_X86_64_32 .*out of range

	.text
	.globl	main
main:
	.long	target - 1
	.size	main, . - main
