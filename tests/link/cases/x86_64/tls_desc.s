# Descriptors: four words of the GOT, of which the first is the resolver that code calls.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: its thread-local storage needs the ORC runtime's native platform; kind unsupported without

# jitlink-check: *{8}(next_pc(main) + decode_operand(main, 4)) = *{8}(next_pc(second) + decode_operand(second, 4))
# jitlink-check: (*{8}(next_pc(second) + decode_operand(second, 4) + 24)) - (*{8}(next_pc(main) + decode_operand(main, 4) + 24)) = 8
	.text
	.globl	main
main:
	leaq	x@tlsdesc(%rip), %rax
	callq	*x@tlscall(%rax)
	.size	main, . - main
	.globl	second
second:
	leaq	y@tlsdesc(%rip), %rax
	callq	*y@tlscall(%rax)
	ret
	.size	second, . - second
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
