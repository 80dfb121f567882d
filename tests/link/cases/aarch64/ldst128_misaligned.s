# R_AARCH64_LDST128_ABS_LO12_NC can't express an address that isn't a multiple of 16.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x276ff8ab8
# expect: error R_AARCH64_LDST128_ABS_LO12_NC .*aligned

	.text
	.globl	main
main:
	ldr	q1, [x0, :lo12:target]
	ret
	.size	main, . - main
