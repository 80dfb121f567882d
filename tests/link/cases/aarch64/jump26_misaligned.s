# A branch goes to instructions, which start at multiples of 4.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error R_AARCH64_JUMP26 .*aligned

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_JUMP26, main + 2
	b	0
	.size	main, . - main
