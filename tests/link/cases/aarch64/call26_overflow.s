# R_AARCH64_CALL26 refuses the next step forward, 0x8000000 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_CALL26 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_CALL26, main + 0x8000000
	bl	0
	.size	main, . - main
