# R_X86_64_8 takes the largest unsigned number of 8 bits.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0xff
# expect: success

# jitlink-check: *{1}main = 0xff
# jitlink-check: *{1}(main + 1) = 0
	.text
	.globl	main
main:
	.byte	target
	.byte	target - 0xff
	.size	main, . - main
