# A call of something in reach goes there directly.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: decode_operand(main, 0) = target - next_pc(main)
# jitlink-check: decode_operand(tail, 0) = target - next_pc(tail)
	.text
	.globl	main
main:
	callq	target@PLT
	.size	main, . - main
	.globl	tail
tail:
	jmp	target@PLT
	.size	tail, . - tail
