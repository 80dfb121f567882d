# A reference to a local label is one to its section, with the label's offset as addend.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# expect: success

# jitlink-check: decode_operand(low, 2) = (section_addr(case.o, .rodata) + 6)[11:0]
# jitlink-check: *{1}(section_addr(case.o, .rodata) + 6) = 0x77
	.text
	.globl	main
main:
	adrp	x0, .Lworld
	.size	main, . - main
	.globl	low
low:
	add	x0, x0, :lo12:.Lworld
	ret
	.size	low, . - low
	.section	.rodata,"a",@progbits
	.asciz	"hello"
.Lworld:
	.asciz	"world"
