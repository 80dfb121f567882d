# An unwind entry's pointer to its function is relative to where the entry ends up.
# A record is a length, a distance back to its CIE, then the function's start.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{4}(section_addr(case.o, .eh_frame) + 32) = (main - (section_addr(case.o, .eh_frame) + 32))[31:0]
# jitlink-check: *{4}(section_addr(case.o, .eh_frame) + 36) = 2
	.text
	.globl	main
main:
	.cfi_startproc
	nop
	ret
	.cfi_endproc
	.size	main, . - main
