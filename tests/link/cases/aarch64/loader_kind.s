# R_AARCH64_COPY is an order to dynamic loaders; in an object it is an error.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x1000
# expect: error R_AARCH64_COPY

	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_COPY, target
	.xword	0
	.size	main, . - main
