# A reference to a local label is one to its section, with the label's offset as addend.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(main, 4) = (section_addr(case.o, .rodata) + 6) - next_pc(main)
# jitlink-check: *{1}(section_addr(case.o, .rodata) + 6) = 0x77
	.text
	.globl	main
main:
	leaq	.Lworld(%rip), %rax
	ret
	.size	main, . - main
	.section	.rodata,"a",@progbits
	.asciz	"hello"
.Lworld:
	.asciz	"world"
