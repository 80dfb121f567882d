# A relocation of one instruction over another would spoil it: an error.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_CONDBR19 .*instruction

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_CONDBR19, main + 8
	nop
	.size	main, . - main
