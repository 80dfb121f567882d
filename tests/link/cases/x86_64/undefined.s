# A strong reference that nobody satisfies is an error which names the symbol.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error ymbols? not found.* nobody

	.text
	.globl	main
main:
	callq	nobody
	.size	main, . - main
