# A weak reference that nobody satisfies is 0.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}main = 0
# jitlink-check: *{8}(main + 8) = 16
	.text
	.globl	main
main:
	.size	main, . - main
	.weak	nobody
	.quad	nobody
	.quad	nobody + 16
