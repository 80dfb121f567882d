# R_X86_64_64 writes S + A in full.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x1122334455667788
# expect: success

# jitlink-check: *{8}main = target + 5
# jitlink-check: *{8}(main + 8) = target - 5
	.text
	.globl	main
main:
	.quad	target + 5
	.quad	target - 5
	.size	main, . - main
