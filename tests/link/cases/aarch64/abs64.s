# R_AARCH64_ABS64 writes S + A in full.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x1122334455667788
# expect: success

# jitlink-check: *{8}main = target + 5
	.text
	.globl	main
main:
	.quad	target + 5
	.size	main, . - main
