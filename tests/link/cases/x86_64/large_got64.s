# The large code model reads a global through its offset in the GOT (R_X86_64_GOT64).
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success

# jitlink-check: decode_operand(offset, 1) = got_addr(case.o, target) - _GLOBAL_OFFSET_TABLE_
# jitlink-check: *{8}(base + 2) = _GLOBAL_OFFSET_TABLE_ - main
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	leaq	main(%rip), %rbx
	.size	main, . - main
	.globl	base
base:
	movabsq	$_GLOBAL_OFFSET_TABLE_ - main, %r11
	addq	%r11, %rbx
	.size	base, . - base
	.globl	offset
offset:
	movabsq	$target@GOT, %rax
	movq	(%rbx,%rax), %rax
	ret
	.size	offset, . - offset
