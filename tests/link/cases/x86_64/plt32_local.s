# A call of a function of the object itself needs no stub, hidden or not.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 0) = hidden - next_pc(main)
# jitlink-check: decode_operand(second, 0) = open - next_pc(second)
	.text
	.globl	main
main:
	callq	hidden@PLT
	.size	main, . - main
	.globl	second
second:
	callq	open@PLT
	ret
	.size	second, . - second
	.section	.text.other,"ax",@progbits
	.globl	hidden
	.hidden	hidden
	.type	hidden, @function
hidden:
	ret
	.size	hidden, . - hidden
	.globl	open
open:
	ret
	.size	open, . - open
