# A global's address from the GOT: the page of its word, and the word's place there.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success

# jitlink-check: (decode_operand(main, 1))[20:0] = ((got_addr(case.o, target))[47:12] - main[47:12])[20:0]
# jitlink-check: decode_operand(low, 2) = (got_addr(case.o, target))[11:3]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	adrp	x0, :got:target
	.size	main, . - main
	.globl	low
low:
	ldr	x0, [x0, :got_lo12:target]
	ret
	.size	low, . - low
