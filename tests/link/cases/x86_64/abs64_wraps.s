# R_X86_64_64 is arithmetic in 64 bits: an address near the end wraps around.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0xffffffffffffffff
# expect: success

# jitlink-check: *{8}main = 0xf
	.text
	.globl	main
main:
	.quad	target + 0x10
	.size	main, . - main
