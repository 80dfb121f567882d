# A load of an address in reach becomes lea (48 8b -> 48 8d): no memory is read.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: (*{4}main)[23:0] = 0x058d48
# jitlink-check: decode_operand(main, 4) = target - next_pc(main)
# jitlink-check: (*{4}upper)[23:0] = 0x258d4c
# jitlink-check: decode_operand(upper, 4) = target - next_pc(upper)
	.text
	.globl	main
main:
	movq	target@GOTPCREL(%rip), %rax
	.size	main, . - main
	.globl	upper
upper:
	movq	target@GOTPCREL(%rip), %r12
	ret
	.size	upper, . - upper
