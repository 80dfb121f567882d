# The size of a symbol that is defined elsewhere isn't in the object.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x1000
# expect: error R_X86_64_SIZE64 .*size
# peer: it writes 0

	.text
	.globl	main
main:
	.quad	target@SIZE
	.size	main, . - main
