# The large code model calls by a distance from the GOT (R_X86_64_PLTOFF64); 64 bits
# reach everything, so it is the function's own and no stub's.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success
# peer: kind unsupported

# jitlink-check: decode_operand(offset, 1) = target - _GLOBAL_OFFSET_TABLE_
	.text
	.globl	main
main:
	leaq	_GLOBAL_OFFSET_TABLE_(%rip), %rbx
	.size	main, . - main
	.globl	offset
offset:
	movabsq	$target@PLTOFF, %rax
	addq	%rbx, %rax
	callq	*%rax
	ret
	.size	offset, . - offset
