# R_AARCH64_CALL26 reaches 128 MiB, counted in instructions of 4 bytes.
# The distance stands in the addend, so that it doesn't depend on where things are placed.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: (*{4}main)[25:0] = 0x1ffffff
# jitlink-check: (*{4}back)[25:0] = 0x2000000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_CALL26, main + 0x7fffffc
	bl	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_CALL26, back - 0x8000000
	bl	0
	ret
	.size	back, . - back
