# A load relative to the instruction counts words of 4 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_LD_PREL_LO19 .*aligned

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_LD_PREL_LO19, main + 2
	ldr	x1, 0
	.size	main, . - main
