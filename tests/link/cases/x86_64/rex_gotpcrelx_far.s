# A load of an address out of reach stays a load from the GOT.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: (*{4}main)[23:0] = 0x058b48
# jitlink-check: decode_operand(main, 4) = got_addr(case.o, target) - next_pc(main)
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	movq	target@GOTPCREL(%rip), %rax
	ret
	.size	main, . - main
