# R_X86_64_PLT32 in a table of relative pointers: near is the distance itself.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: *{4}main = (target - main)[31:0]
	.text
	.globl	main
main:
	.reloc	main, R_X86_64_PLT32, target
	.long	0
	ret
	.size	main, . - main
