# R_X86_64_COPY is an order to dynamic loaders; in an object it is an error.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x1000
# expect: error R_X86_64_COPY

	.text
	.globl	main
main:
	.reloc	main, R_X86_64_COPY, target
	.quad	0
	.size	main, . - main
