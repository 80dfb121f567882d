# R_AARCH64_LDST128_ABS_LO12_NC: the place in the page, in units of what is loaded.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8ab0
# expect: success

# jitlink-check: decode_operand(main, 2) = target[11:4]
# jitlink-check: decode_operand(store, 2) = (target + 16)[11:4]
	.text
	.globl	main
main:
	ldr	q1, [x0, :lo12:target]
	.size	main, . - main
	.globl	store
store:
	str	q1, [x0, :lo12:target + 16]
	ret
	.size	store, . - store
