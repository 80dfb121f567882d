# R_X86_64_16 takes the largest unsigned number of 16 bits.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0xffff
# expect: success

# jitlink-check: *{2}main = 0xffff
# jitlink-check: *{2}(main + 2) = 0
	.text
	.globl	main
main:
	.short	target
	.short	target - 0xffff
	.size	main, . - main
