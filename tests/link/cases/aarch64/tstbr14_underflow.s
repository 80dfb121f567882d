# R_AARCH64_TSTBR14 refuses the next step back, 0x8004 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_TSTBR14 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_TSTBR14, main - 0x8004
	tbz	x3, #37, 0
	.size	main, . - main
