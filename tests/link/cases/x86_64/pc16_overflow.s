# R_X86_64_PC16 refuses one byte more than it reaches forward.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error R_X86_64_PC16 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_X86_64_PC16, main + 0x8000
	.short	0
	.size	main, . - main
