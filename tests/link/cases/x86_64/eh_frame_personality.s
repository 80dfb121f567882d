# A CIE names the personality routine through an indirect relative pointer (encoding 0x9b),
# and an FDE its language-specific data (0x1b).
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{4}(section_addr(case.o, .eh_frame) + 19) = (DW.ref.personality - (section_addr(case.o, .eh_frame) + 19))[31:0]
# jitlink-check: *{8}DW.ref.personality = personality
# jitlink-check: *{4}(section_addr(case.o, .eh_frame) + 49) = (table - (section_addr(case.o, .eh_frame) + 49))[31:0]
	.text
	.globl	main
main:
	.cfi_startproc
	.cfi_personality 0x9b, DW.ref.personality
	.cfi_lsda 0x1b, table
	nop
	ret
	.cfi_endproc
	.size	main, . - main
	.globl	personality
personality:
	ret
	.size	personality, . - personality
	.section	.gcc_except_table,"a",@progbits
	.globl	table
table:
	.long	0
	.size	table, . - table
	.section	.data.DW.ref.personality,"aw",@progbits
	.p2align	3
	.globl	DW.ref.personality
	.hidden	DW.ref.personality
DW.ref.personality:
	.quad	personality
	.size	DW.ref.personality, . - DW.ref.personality
