# R_AARCH64_TSTBR14 reaches 32 KiB.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: (*{4}main)[18:5] = 0x1fff
# jitlink-check: (*{4}back)[18:5] = 0x2000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_TSTBR14, main + 0x7ffc
	tbz	x3, #37, 0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_TSTBR14, back - 0x8000
	tbz	x3, #37, 0
	ret
	.size	back, . - back
