# R_AARCH64_LD_PREL_LO19 refuses the next step back, 0x100004 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_LD_PREL_LO19 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_LD_PREL_LO19, main - 0x100004
	ldr	x1, 0
	.size	main, . - main
