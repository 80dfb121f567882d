# R_AARCH64_LDST16_ABS_LO12_NC: the place in the page, in units of what is loaded.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8ab0
# expect: success

# jitlink-check: decode_operand(main, 2) = target[11:1]
# jitlink-check: decode_operand(store, 2) = (target + 2)[11:1]
	.text
	.globl	main
main:
	ldrh	w1, [x0, :lo12:target]
	.size	main, . - main
	.globl	store
store:
	strh	w1, [x0, :lo12:target + 2]
	ret
	.size	store, . - store
