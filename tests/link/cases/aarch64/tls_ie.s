# Initial exec: the offset from the thread pointer is read from a GOT word.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success
# peer: kind unsupported

# jitlink-check: *{8}(((main[47:12] + decode_operand(main, 1)) << 12) + (decode_operand(load, 2) << 3)) = 24
	.text
	.globl	main
main:
	adrp	x0, :gottprel:y
	.size	main, . - main
	.globl	load
load:
	ldr	x0, [x0, :gottprel_lo12:y]
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
