# R_AARCH64_ADR_PREL_LO21 refuses 1 MiB forward.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_ADR_PREL_LO21 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_ADR_PREL_LO21, main + 0x100000
	adr	x0, #0
	.size	main, . - main
