# R_X86_64_CODE_4_GOTTPOFF: the initial-exec load by an instruction with a REX2 prefix.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: its thread-local storage needs the ORC runtime's native platform; kind unsupported without

# jitlink-check: *{8}(main + 8 + *{4}(main + 4)) = *{8}offset
	.text
	.globl	main
main:
	movq	x@GOTTPOFF(%rip), %r16
	ret
	.size	main, . - main
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
