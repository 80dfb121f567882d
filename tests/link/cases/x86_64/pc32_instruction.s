# A displacement counts from the instruction's end, which a trailing immediate moves.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: decode_operand(main, 4) = target - next_pc(main)
# jitlink-check: decode_operand(store, 3) = target - next_pc(store)
	.text
	.globl	main
main:
	leaq	target(%rip), %rax
	.size	main, . - main
	.globl	store
store:
	movl	$7, target(%rip)
	ret
	.size	store, . - store
