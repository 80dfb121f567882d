# R_AARCH64_LD_PREL_LO19 refuses the next step forward, 0x100000 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_LD_PREL_LO19 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_LD_PREL_LO19, main + 0x100000
	ldr	x1, 0
	.size	main, . - main
