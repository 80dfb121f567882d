# call *x@GOTPCREL(%rip) out of reach stays an indirect call.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: *{2}main = 0x15ff
# jitlink-check: decode_operand(main, 3) = got_addr(case.o, target) - next_pc(main)
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	callq	*target@GOTPCREL(%rip)
	ret
	.size	main, . - main
