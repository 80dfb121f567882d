# R_AARCH64_ADR_PREL_PG_HI21_NC is the same without a check: what doesn't fit is cut off.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success
# peer: kind unsupported

# jitlink-check: (decode_operand(main, 1))[20:0] = (target[47:12] - main[47:12])[20:0]
	.text
	.globl	main
main:
	adrp	x0, :pg_hi21_nc:target
	ret
	.size	main, . - main
