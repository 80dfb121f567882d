# R_AARCH64_ADR_PREL_PG_HI21 reaches 4 GiB; data beyond is an error.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: error R_AARCH64_ADR_PREL_PG_HI21 .*out of range

	.text
	.globl	main
main:
	adrp	x0, target
	.size	main, . - main
