# A call out of reach goes to a stub, which jumps to where its GOT word says.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: decode_operand(main, 0) = stub_addr(case.o, target) - next_pc(main)
# jitlink-check: *{2}(stub_addr(case.o, target)) = 0x25ff
# jitlink-check: (*{4}(stub_addr(case.o, target) + 2)) = (got_addr(case.o, target) - (stub_addr(case.o, target) + 6))[31:0]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	callq	target@PLT
	ret
	.size	main, . - main
