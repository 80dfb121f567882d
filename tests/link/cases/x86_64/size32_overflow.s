# R_X86_64_SIZE32 refuses a sum of 2^32.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error R_X86_64_SIZE32 .*out of range

	.text
	.globl	main
main:
	.long	table@SIZE + 0xfffffff0
	.size	main, . - main
	.data
	.globl	table
table:
	.zero	16
	.size	table, 16
