# R_AARCH64_CONDBR19 reaches 1 MiB.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: (*{4}main)[23:5] = 0x3ffff
# jitlink-check: (*{4}back)[23:5] = 0x40000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_CONDBR19, main + 0xffffc
	b.eq	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_CONDBR19, back - 0x100000
	b.eq	0
	ret
	.size	back, . - back
