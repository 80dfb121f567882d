# R_X86_64_PC8 reaches 0x7f bytes forward and 0x80 back, to the byte.
# The distance stands in the addend, so that it doesn't depend on where things are placed.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{1}main = 0x7f
# jitlink-check: *{1}back = 0x80
	.text
	.globl	main
main:
	.reloc	main, R_X86_64_PC8, main + 0x7f
	.byte	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_X86_64_PC8, back - 0x80
	.byte	0
	.size	back, . - back
