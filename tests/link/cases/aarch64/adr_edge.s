# R_AARCH64_ADR_PREL_LO21 reaches 1 MiB to the byte; its field is split in two.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 1) = 0xfffff
# jitlink-check: (decode_operand(back, 1))[20:0] = 0x100000
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_ADR_PREL_LO21, main + 0xfffff
	adr	x0, #0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_AARCH64_ADR_PREL_LO21, back - 0x100000
	adr	x0, #0
	.size	back, . - back
