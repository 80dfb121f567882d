# A tail call out of reach shares the stub of the calls.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success

# jitlink-check: decode_operand(main, 0) = (stub_addr(case.o, target) - main)[27:2]
# jitlink-check: decode_operand(tail, 0) = (stub_addr(case.o, target) - tail)[25:2]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	bl	target
	.size	main, . - main
	.globl	tail
tail:
	b	target
	.size	tail, . - tail
