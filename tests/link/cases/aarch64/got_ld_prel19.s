# R_AARCH64_GOT_LD_PREL19: a load relative to the instruction, of the GOT word (tiny code).
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success
# peer: kind unsupported

# jitlink-check: (decode_operand(main, 1))[18:0] = (got_addr(case.o, target) - main)[20:2]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	ldr	x0, :got:target
	ret
	.size	main, . - main
