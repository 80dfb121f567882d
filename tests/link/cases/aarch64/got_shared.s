# Calls, loads and a second function share one word per symbol.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success

# jitlink-check: decode_operand(low, 2) = (got_addr(case.o, target))[11:3]
# jitlink-check: decode_operand(again, 2) = (got_addr(case.o, target))[11:3]
# jitlink-check: (*{4}(stub_addr(case.o, target) + 4))[21:10] = (got_addr(case.o, target))[11:3]
	.text
	.globl	main
main:
	adrp	x0, :got:target
	.size	main, . - main
	.globl	low
low:
	ldr	x0, [x0, :got_lo12:target]
	.size	low, . - low
	.globl	again
again:
	ldr	x1, [x0, :got_lo12:target]
	.size	again, . - again
	.globl	call
call:
	bl	target
	ret
	.size	call, . - call
