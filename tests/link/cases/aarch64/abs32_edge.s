# R_AARCH64_ABS32 takes the largest unsigned number of 32 bits, and 0.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0xffffffff
# expect: success

# jitlink-check: *{4}main = 0xffffffff
# jitlink-check: *{4}(main + 4) = 0
	.text
	.globl	main
main:
	.word	target
	.word	target - 0xffffffff
	.size	main, . - main
