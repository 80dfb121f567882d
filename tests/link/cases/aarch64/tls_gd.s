# General dynamic: a pair of GOT words {module, offset} by page and place.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success
# peer: kind unsupported

# jitlink-check: (*{8}(((main[47:12] + decode_operand(main, 1)) << 12) + (decode_operand(low, 2) + 8))) - (*{8}(((third[47:12] + decode_operand(third, 1)) << 12) + (decode_operand(fourth, 2) + 8))) = 8
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_TLSGD_ADR_PAGE21, y
	adrp	x0, #0
	.size	main, . - main
	.globl	low
low:
	.reloc	low, R_AARCH64_TLSGD_ADD_LO12_NC, y
	add	x0, x0, #0
	.size	low, . - low
	.globl	third
third:
	.reloc	third, R_AARCH64_TLSGD_ADR_PAGE21, x
	adrp	x0, #0
	.size	third, . - third
	.globl	fourth
fourth:
	.reloc	fourth, R_AARCH64_TLSGD_ADD_LO12_NC, x
	add	x0, x0, #0
	ret
	.size	fourth, . - fourth
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
