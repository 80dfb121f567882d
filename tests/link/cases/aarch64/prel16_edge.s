# R_AARCH64_PREL16 takes -2^15 to 2^16 - 1 by the ABI.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success
# peer: kind unsupported

# jitlink-check: *{2}main = 0x7fff
# jitlink-check: *{2}back = 0x8000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_PREL16, main + 0x7fff
	.hword	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_PREL16, back - 0x8000
	.hword	0
	.size	back, . - back
