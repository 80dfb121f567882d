# R_AARCH64_ABS32 takes -2^31 too: the ABI gives it the ranges of both readings.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0xffffffff80000000
# expect: success
# peer: it takes unsigned numbers alone

# jitlink-check: *{4}main = 0x80000000
	.text
	.globl	main
main:
	.word	target
	.size	main, . - main
