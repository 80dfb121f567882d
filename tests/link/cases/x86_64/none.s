# R_X86_64_NONE changes nothing, and its target need not exist.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}main = 0x1122334455667788
	.text
	.globl	main
main:
	.reloc	main, R_X86_64_NONE, nobody
	.quad	0x1122334455667788
	.size	main, . - main
