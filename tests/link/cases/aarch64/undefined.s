# A strong reference that nobody satisfies is an error which names the symbol.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: error ymbols? not found.* nobody

	.text
	.globl	main
main:
	bl	nobody
	.size	main, . - main
