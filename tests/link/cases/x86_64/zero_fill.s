# .bss takes its size and its alignment, and is zero.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: it crashes when a check reads zero-filled memory

# jitlink-check: decode_operand(main, 4) = space - next_pc(main)
# jitlink-check: space[7:0] = 0
# jitlink-check: *{8}space = 0
# jitlink-check: *{8}(space + 4088) = 0
	.text
	.globl	main
main:
	leaq	space(%rip), %rax
	ret
	.size	main, . - main
	.bss
	.p2align	8
	.globl	space
space:
	.zero	4096
	.size	space, . - space
