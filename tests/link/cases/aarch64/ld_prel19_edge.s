# R_AARCH64_LD_PREL_LO19: a load relative to the instruction reaches 1 MiB.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: (*{4}main)[23:5] = 0x3ffff
# jitlink-check: (*{4}back)[23:5] = 0x40000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_LD_PREL_LO19, main + 0xffffc
	ldr	x1, 0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_LD_PREL_LO19, back - 0x100000
	ldr	x1, 0
	ret
	.size	back, . - back
