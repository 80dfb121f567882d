# Local dynamic: one pair {module, 0} for the object, to whose block offsets are added.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: its thread-local storage needs the ORC runtime's native platform; kind unsupported without

# jitlink-check: *{8}(next_pc(main) + decode_operand(main, 4) + 8) = 0
# jitlink-check: decode_operand(second, 4) - decode_operand(first, 4) = 8
# jitlink-check: *{8}wide = decode_operand(first, 4)
	.text
	.globl	main
main:
	leaq	x@TLSLD(%rip), %rdi
	callq	__tls_get_addr@PLT
	.size	main, . - main
	.globl	first
first:
	leaq	x@DTPOFF(%rax), %rcx
	.size	first, . - first
	.globl	second
second:
	leaq	y@DTPOFF(%rax), %rcx
	ret
	.size	second, . - second
	.globl	wide
wide:
	.quad	x@DTPOFF
	.size	wide, . - wide
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
