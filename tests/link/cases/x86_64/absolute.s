# A symbol that the object defines as a number is that number, and isn't moved.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: it promises absolute symbols, then doesn't define them

# jitlink-check: *{8}main = 0x123456789abc
# jitlink-check: *{4}(main + 8) = 0x1ff
	.text
	.globl	main
main:
	.quad	number
	.long	small + 0xff
	.size	main, . - main
	.globl	number, small
	.set	number, 0x123456789abc
	.set	small, 0x100
