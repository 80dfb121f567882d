# R_AARCH64_ABS16 takes -2^15 to 2^16 - 1.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0xffff
# expect: success
# peer: kind unsupported

# jitlink-check: *{2}main = 0xffff
# jitlink-check: *{2}(main + 2) = 0x8000
	.text
	.globl	main
main:
	.hword	target
	.hword	target - 0x17fff
	.size	main, . - main
