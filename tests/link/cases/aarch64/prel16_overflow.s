# R_AARCH64_PREL16 refuses a distance of 2^16 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_PREL16 .*out of range
# peer: kind unsupported

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_PREL16, main + 0x10000
	.hword	0
	.size	main, . - main
