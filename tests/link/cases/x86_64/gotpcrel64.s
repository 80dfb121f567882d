# R_X86_64_GOTPCREL64: the distance to the symbol's GOT word, in 64 bits.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: *{8}main = got_addr(case.o, target) - main + 2
	.text
	.globl	main
main:
	.reloc	main, R_X86_64_GOTPCREL64, target + 2
	.quad	0
	.size	main, . - main
