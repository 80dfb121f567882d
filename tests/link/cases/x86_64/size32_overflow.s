# R_X86_64_SIZE32 refuses a symbol of 4 GiB.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error R_X86_64_SIZE32 .*out of range

	.text
	.globl	main
main:
	.long	table@SIZE
	.size	main, . - main
	.data
	.globl	table
table:
	.byte	0
	.size	table, 0x100000000
