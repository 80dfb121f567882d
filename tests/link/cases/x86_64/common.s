# A common symbol gets zeros at its alignment, in data.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}main = table
# jitlink-check: table[5:0] = 0
# jitlink-check: *{8}(main + 8) = byte + 1
	.text
	.globl	main
main:
	.quad	table
	.quad	byte + 1
	.size	main, . - main
	.comm	byte,1,1
	.comm	table,48,64
