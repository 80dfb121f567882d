# R_X86_64_32 takes 0 and the largest unsigned number of 32 bits.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0xffffffff
# expect: success

# jitlink-check: *{4}main = 0xffffffff
# jitlink-check: *{4}(main + 4) = 0
	.text
	.globl	main
main:
	.long	target
	.long	target - 0xffffffff
	.size	main, . - main
