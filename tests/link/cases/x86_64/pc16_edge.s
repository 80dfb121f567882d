# R_X86_64_PC16 reaches 0x7fff bytes forward and 0x8000 back, to the byte.
# The distance stands in the addend, so that it doesn't depend on where things are placed.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success

# jitlink-check: *{2}main = 0x7fff
# jitlink-check: *{2}back = 0x8000
	.text
	.globl	main
main:
	.reloc	main, R_X86_64_PC16, main + 0x7fff
	.short	0
	.size	main, . - main
	.globl	back
back:
	.reloc	back, R_X86_64_PC16, back - 0x8000
	.short	0
	.size	back, . - back
