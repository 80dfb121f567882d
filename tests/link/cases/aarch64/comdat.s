# The sections of a comdat group are linked like others.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 0) = (inlined - main)[27:2]
# jitlink-check: *{8}inlined_table = inlined
	.text
	.globl	main
main:
	bl	inlined
	adrp	x0, inlined_table
	ret
	.size	main, . - main
	.section	.text.inlined,"axG",@progbits,inlined,comdat
	.weak	inlined
inlined:
	ret
	.size	inlined, . - inlined
	.section	.data.inlined,"awG",@progbits,inlined,comdat
	.weak	inlined_table
inlined_table:
	.quad	inlined
	.size	inlined_table, . - inlined_table
