# A constant of 64 bits in four instructions, each with 16 of them (MOVW_UABS_G0_NC to G3).
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0xfedcba9876543210
# expect: success

# jitlink-check: decode_operand(main, 1) = target[15:0]
# jitlink-check: decode_operand(second, 2) = target[31:16]
# jitlink-check: decode_operand(third, 2) = target[47:32]
# jitlink-check: decode_operand(fourth, 2) = target[63:48]
	.text
	.globl	main
main:
	movz	x0, #:abs_g0_nc:target
	.size	main, . - main
	.globl	second
second:
	movk	x0, #:abs_g1_nc:target
	.size	second, . - second
	.globl	third
third:
	movk	x0, #:abs_g2_nc:target
	.size	third, . - third
	.globl	fourth
fourth:
	movk	x0, #:abs_g3:target
	ret
	.size	fourth, . - fourth
