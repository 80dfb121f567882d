# Initial exec: a GOT word holds the variable's offset from the thread pointer, which is
# negative, and the same number that R_X86_64_TPOFF64 writes.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: its thread-local storage needs the ORC runtime's native platform; kind unsupported without

# jitlink-check: *{8}(next_pc(main) + decode_operand(main, 4)) = *{8}offset
# jitlink-check: (*{8}(next_pc(second) + decode_operand(second, 5))) - (*{8}(next_pc(main) + decode_operand(main, 4))) = 8
# jitlink-check: (*{8}offset)[63:32] = 0xffffffff
	.text
	.globl	main
main:
	movq	x@GOTTPOFF(%rip), %rax
	.size	main, . - main
	.globl	second
second:
	addq	y@GOTTPOFF(%rip), %rax
	ret
	.size	second, . - second
	.globl	offset
offset:
	.quad	x@TPOFF
	.size	offset, . - offset
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
