# R_AARCH64_CONDBR19 refuses the next step back, 0x100004 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_CONDBR19 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_CONDBR19, main - 0x100004
	b.eq	0
	.size	main, . - main
