# An address in two steps: the page relative to this one, and the place in the page.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8124
# expect: success

# jitlink-check: decode_operand(main, 1) = target[47:12] - main[47:12]
# jitlink-check: decode_operand(low, 2) = target[11:0]
	.text
	.globl	main
main:
	adrp	x0, target
	.size	main, . - main
	.globl	low
low:
	add	x0, x0, :lo12:target
	ret
	.size	low, . - low
