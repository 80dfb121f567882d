# R_X86_64_GOTPC32: the distance to the GOT's start, for code that adds offsets to it.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: it makes no GOT for this kind alone

# jitlink-check: decode_operand(main, 4) = _GLOBAL_OFFSET_TABLE_ - next_pc(main)
# jitlink-check: decode_operand(offset, 1) = local - _GLOBAL_OFFSET_TABLE_
	.text
	.globl	main
main:
	leaq	_GLOBAL_OFFSET_TABLE_(%rip), %rbx
	.size	main, . - main
	.globl	offset
offset:
	movabsq	$local@GOTOFF, %rax
	ret
	.size	offset, . - offset
	.data
	.globl	local
local:
	.quad	1
	.size	local, . - local
