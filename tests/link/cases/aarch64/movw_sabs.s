# Signed constants: movz for a positive one; a negative one becomes movn of its complement.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0
# expect: success
# peer: kind unsupported

# jitlink-check: *{4}main = 0xd28acf00
# jitlink-check: *{4}second = 0x92800060
# jitlink-check: *{4}third = 0x92c00060
	.text
	.globl	main
main:
	movz	x0, #:abs_g0_s:target + 0x5678
	.size	main, . - main
	.globl	second
second:
	movz	x0, #:abs_g0_s:target - 4
	.size	second, . - second
	.globl	third
third:
	movn	x0, #:abs_g2_s:target - 0x300000001
	.size	third, . - third
