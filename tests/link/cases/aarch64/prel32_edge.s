# R_AARCH64_PREL32 reaches as far as a signed number of 32 bits.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: *{4}main = 0x7fffffff
# jitlink-check: *{4}back = 0x80000000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_PREL32, main + 0x7fffffff
	.word	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_PREL32, back - 0x80000000
	.word	0
	.size	back, . - back
