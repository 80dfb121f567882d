# R_X86_64_32S refuses -2^31 - 1, which would come back positive.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0xffffffff7fffffff
# expect: error R_X86_64_32S .*out of range

	.text
	.globl	main
main:
	movq	$target, %rax
	.size	main, . - main
