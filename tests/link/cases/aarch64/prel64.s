# R_AARCH64_PREL64 writes S + A - P in full.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success

# jitlink-check: *{8}main = (target - main) + 3
	.text
	.globl	main
main:
	.quad	target + 3 - .
	.size	main, . - main
