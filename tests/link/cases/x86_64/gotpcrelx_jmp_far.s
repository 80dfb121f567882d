# jmp *x@GOTPCREL(%rip) out of reach stays an indirect jump.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: *{2}main = 0x25ff
# jitlink-check: decode_operand(main, 3) = got_addr(case.o, target) - next_pc(main)
	.text
	.globl	main
main:
	jmpq	*target@GOTPCREL(%rip)
	.size	main, . - main
