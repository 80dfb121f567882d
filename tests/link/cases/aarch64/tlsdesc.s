# A thread-local variable by its descriptor in the GOT: page, resolver, address, call.
# The call is a marker for linkers that relax the sequence.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success
# peer: it asks for __tlsdesc_resolver of the ORC runtime

# jitlink-check: ((main[47:12] + decode_operand(main, 1)) << 12) + (decode_operand(load, 2) << 3) = ((main[47:12] + decode_operand(main, 1)) << 12) + decode_operand(low, 2)
# jitlink-check: *{4}call = 0xd63f0020
	.text
	.globl	main
main:
	adrp	x0, :tlsdesc:x
	.size	main, . - main
	.globl	load
load:
	ldr	x1, [x0, :tlsdesc_lo12:x]
	.size	load, . - load
	.globl	low
low:
	add	x0, x0, :tlsdesc_lo12:x
	.tlsdesccall x
	.size	low, . - low
	.globl	call
call:
	blr	x1
	ret
	.size	call, . - call
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
