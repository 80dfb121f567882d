# The sections of a comdat group are linked like others: code, and a table that belongs to it.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 0) = inlined - next_pc(main)
# jitlink-check: decode_operand(inlined, 4) = inlined_table - next_pc(inlined)
# jitlink-check: *{8}inlined_table = inlined
	.text
	.globl	main
main:
	callq	inlined
	ret
	.size	main, . - main
	.section	.text.inlined,"axG",@progbits,inlined,comdat
	.weak	inlined
inlined:
	leaq	inlined_table(%rip), %rax
	ret
	.size	inlined, . - inlined
	.section	.data.inlined,"awG",@progbits,inlined,comdat
	.weak	inlined_table
inlined_table:
	.quad	inlined
	.size	inlined_table, . - inlined_table
