# A weak reference that nobody satisfies is 0.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}main = 0
	.text
	.globl	main
main:
	.size	main, . - main
	.weak	nobody
	.quad	nobody
