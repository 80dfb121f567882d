# A common symbol gets zeros at its alignment, in data.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}main = table
# jitlink-check: table[5:0] = 0
	.text
	.globl	main
main:
	.quad	table
	.size	main, . - main
	.comm	table,48,64
