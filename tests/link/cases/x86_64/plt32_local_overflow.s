# A stub exists for other objects' functions; within one, a call too far is an error.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: error R_X86_64_PLT32 .*out of range

	.text
	.globl	main
main:
	.byte	0xe8
	.reloc	., R_X86_64_PLT32, main + 0x80000001
	.long	0
	ret
	.size	main, . - main
