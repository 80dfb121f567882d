# A hidden variable is reached without the GOT.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 4) = counter - next_pc(main)
# jitlink-check: *{4}counter = 77
	.text
	.globl	main
main:
	movl	counter(%rip), %eax
	ret
	.size	main, . - main
	.data
	.globl	counter
	.hidden	counter
counter:
	.long	77
	.size	counter, . - counter
