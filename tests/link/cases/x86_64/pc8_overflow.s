# R_X86_64_PC8 refuses one byte more than it reaches forward.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error R_X86_64_PC8 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_X86_64_PC8, main + 0x80
	.byte	0
	.size	main, . - main
