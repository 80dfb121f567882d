# Data out of reach of R_X86_64_PC32 is an error: only calls go through a stub.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: error R_X86_64_PC32 .*out of range

	.text
	.globl	main
main:
	leaq	target(%rip), %rax
	.size	main, . - main
