# An unwind entry's pointer to its function is relative to where the entry ends up.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: *{4}(section_addr(case.o, .eh_frame) + 28) = (main - (section_addr(case.o, .eh_frame) + 28))[31:0]
# jitlink-check: *{4}(section_addr(case.o, .eh_frame) + 32) = 8
	.text
	.globl	main
main:
	.cfi_startproc
	nop
	ret
	.cfi_endproc
	.size	main, . - main
