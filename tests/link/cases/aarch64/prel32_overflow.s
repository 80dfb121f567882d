# R_AARCH64_PREL32 refuses a distance of 2^32 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_PREL32 .*out of range

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_PREL32, main + 0x100000000
	.word	0
	.size	main, . - main
