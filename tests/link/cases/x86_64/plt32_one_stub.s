# However often a function is called, loaded and jumped to, it has one stub and one GOT word.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: decode_operand(main, 0) = stub_addr(case.o, target) - next_pc(main)
# jitlink-check: decode_operand(again, 0) = stub_addr(case.o, target) - next_pc(again)
# jitlink-check: decode_operand(load, 4) = got_addr(case.o, target) - next_pc(load)
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	callq	target@PLT
	.size	main, . - main
	.globl	load
load:
	movq	target@GOTPCREL(%rip), %rax
	.size	load, . - load
	.globl	again
again:
	jmp	target@PLT
	.size	again, . - again
