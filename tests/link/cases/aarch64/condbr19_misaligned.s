# A conditional branch to the middle of an instruction is an error.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_CONDBR19 .*aligned

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_CONDBR19, main + 6
	cbz	x0, 0
	.size	main, . - main
