# R_AARCH64_TSTBR14 refuses the next step forward, 0x8000 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_TSTBR14 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_TSTBR14, main + 0x8000
	tbz	x3, #37, 0
	.size	main, . - main
