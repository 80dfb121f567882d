# -phony-externals: what nobody defines is at address 0, so that a file links alone.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -phony-externals
# expect: success

# jitlink-check: *{8}main = 0
	.text
	.globl	main
main:
	.quad	nobody
	.size	main, . - main
