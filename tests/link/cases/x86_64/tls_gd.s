# General dynamic: a pair of GOT words {module, offset} is the argument of __tls_get_addr.
# Two variables of one object differ in the offset alone, and each has one pair.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{8}(next_pc(main) + decode_operand(main, 4)) = *{8}(next_pc(second) + decode_operand(second, 4))
# jitlink-check: (*{8}(next_pc(second) + decode_operand(second, 4) + 8)) - (*{8}(next_pc(main) + decode_operand(main, 4) + 8)) = 8
# jitlink-check: next_pc(third) + decode_operand(third, 4) = next_pc(main) + decode_operand(main, 4)
	.text
	.globl	main
main:
	leaq	x@TLSGD(%rip), %rdi
	callq	__tls_get_addr@PLT
	.size	main, . - main
	.globl	second
second:
	leaq	y@TLSGD(%rip), %rdi
	callq	__tls_get_addr@PLT
	.size	second, . - second
	.globl	third
third:
	leaq	x@TLSGD(%rip), %rdi
	callq	__tls_get_addr@PLT
	ret
	.size	third, . - third
	.section	.tdata,"awT",@progbits
	.p2align	3
	.globl	x, y
x:
	.quad	5
	.size	x, . - x
y:
	.quad	7
	.size	y, . - y
