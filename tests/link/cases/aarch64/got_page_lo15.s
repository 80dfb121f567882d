# R_AARCH64_LD64_GOTPAGE_LO15: a word's distance from the page where the GOT starts.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success

# jitlink-check: decode_operand(low, 2) = (got_addr(case.o, target) - (_GLOBAL_OFFSET_TABLE_ & 0xfffffffffffff000))[14:3]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	adrp	x0, _GLOBAL_OFFSET_TABLE_
	.size	main, . - main
	.globl	low
low:
	ldr	x0, [x0, :gotpage_lo15:target]
	ret
	.size	low, . - low
