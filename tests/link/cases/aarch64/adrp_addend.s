# The addend takes part before the page is taken: it may carry into the next one.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8124
# expect: success

# jitlink-check: decode_operand(main, 1) = (target + 0xf00)[47:12] - main[47:12]
# jitlink-check: decode_operand(low, 2) = (target + 0xf00)[11:0]
	.text
	.globl	main
main:
	adrp	x0, target + 0xf00
	.size	main, . - main
	.globl	low
low:
	add	x0, x0, :lo12:target + 0xf00
	ret
	.size	low, . - low
