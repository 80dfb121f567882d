# The large code model addresses its own data relative to the GOT (R_X86_64_GOTOFF64).
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(offset, 1) = local - _GLOBAL_OFFSET_TABLE_
# jitlink-check: *{8}(offset + 10) = _GLOBAL_OFFSET_TABLE_ - (offset + 10)
	.text
	.globl	main
main:
	nop
	.size	main, . - main
	.globl	offset
offset:
	movabsq	$local@GOTOFF, %rax
	.reloc	., R_X86_64_GOTPC64, _GLOBAL_OFFSET_TABLE_
	.quad	0
	.size	offset, . - offset
	.data
	.globl	local
local:
	.quad	1
	.size	local, . - local
