# R_X86_64_SIZE32 and SIZE64 write the symbol's size plus the addend, wherever it is.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{4}main = 24
# jitlink-check: *{8}(main + 4) = 25
	.text
	.globl	main
main:
	.long	table@SIZE
	.quad	table@SIZE + 1
	.size	main, . - main
	.data
	.globl	table
table:
	.zero	24
	.size	table, 24
