# R_X86_64_32S takes what sign-extension to 64 bits gives back.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs high=0x7fffffff -abs bottom=0xffffffff80000000
# expect: success

# jitlink-check: decode_operand(main, 1) = 0x7fffffff
# jitlink-check: *{4}(low + 3) = 0x80000000
	.text
	.globl	main
main:
	movq	$high, %rax
	.size	main, . - main
	.globl	low
low:
	movq	$bottom, %rax
	.size	low, . - low
