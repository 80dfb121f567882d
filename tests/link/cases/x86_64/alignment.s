# A section's alignment is kept: code at 64, read-only data at 32.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: main[5:0] = 0
# jitlink-check: table[4:0] = 0
# jitlink-check: decode_operand(main, 4) = table - next_pc(main)
	.text
	.globl	main
	.p2align	6
main:
	leaq	table(%rip), %rax
	ret
	.size	main, . - main
	.section	.rodata,"a",@progbits
	.byte	1
	.p2align	5
	.globl	table
table:
	.quad	2
	.size	table, . - table
