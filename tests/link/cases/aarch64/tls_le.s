# Local exec: 24 bits of the offset from the thread pointer, in two additions.
# On this architecture variables lie above the thread pointer: here after its 16 bytes.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success
# peer: kind unsupported

# jitlink-check: decode_operand(main, 2) = 0
# jitlink-check: decode_operand(low, 2) = 16
# jitlink-check: decode_operand(second, 2) = 24
# jitlink-check: decode_operand(load, 2) = 3
	.text
	.globl	main
main:
	add	x0, x0, :tprel_hi12:x
	.size	main, . - main
	.globl	low
low:
	add	x0, x0, :tprel_lo12_nc:x
	.size	low, . - low
	.globl	second
second:
	add	x0, x0, :tprel_lo12:y
	.size	second, . - second
	.globl	load
load:
	ldr	x0, [x0, :tprel_lo12_nc:y]
	ret
	.size	load, . - load
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
