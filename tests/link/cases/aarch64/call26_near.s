# A call in reach goes there directly; the field counts instructions.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8124
# expect: success
# peer: it calls everything external through a stub

# jitlink-check: decode_operand(main, 0) = (target - main)[27:2]
# jitlink-check: decode_operand(tail, 0) = (target - tail)[27:2]
	.text
	.globl	main
main:
	bl	target
	.size	main, . - main
	.globl	tail
tail:
	b	target
	.size	tail, . - tail
