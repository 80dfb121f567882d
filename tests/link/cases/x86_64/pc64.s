# R_X86_64_PC64 writes S + A - P in full, for any distance.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: *{8}main = target - main + 3
	.text
	.globl	main
main:
	.quad	target + 3 - .
	.size	main, . - main
