# A call of a missing weak function, which code guards with a test, links through a stub.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}(got_addr(case.o, nobody)) = 0
# jitlink-check: decode_operand(guarded, 0) = stub_addr(case.o, nobody) - next_pc(guarded)
	.text
	.globl	main
main:
	.size	main, . - main
	.weak	nobody
	cmpq	$0, nobody@GOTPCREL(%rip)
	je	over
	.globl	guarded
guarded:
	callq	nobody@PLT
	.size	guarded, . - guarded
	.globl	over
over:
	ret
	.size	over, . - over
