# Instructions that have no shorter form keep their GOT word, in reach or not.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: (*{4}main)[23:0] = 0x058548
# jitlink-check: decode_operand(main, 3) = got_addr(case.o, target) - next_pc(main)
# jitlink-check: decode_operand(sum, 5) = got_addr(case.o, target) - next_pc(sum)
# jitlink-check: decode_operand(stack, 3) = got_addr(case.o, target) - next_pc(stack)
	.text
	.globl	main
main:
	testq	%rax, target@GOTPCREL(%rip)
	.size	main, . - main
	.globl	sum
sum:
	addq	target@GOTPCREL(%rip), %rax
	.size	sum, . - sum
	.globl	stack
stack:
	pushq	target@GOTPCREL(%rip)
	ret
	.size	stack, . - stack
