# R_X86_64_PC32 reaches 0x7fffffff bytes forward and 0x80000000 back, to the byte.
# The distance stands in the addend, so that it doesn't depend on where things are placed.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{4}main = 0x7fffffff
# jitlink-check: *{4}back = 0x80000000
	.text
	.globl	main
main:
	.reloc	main, R_X86_64_PC32, main + 0x7fffffff
	.long	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_X86_64_PC32, back - 0x80000000
	.long	0
	.size	back, . - back
