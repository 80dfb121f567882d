# A load of the address's lower half becomes lea too: both give the same 32 bits.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: (*{2}main) = 0x1d8d
# jitlink-check: *{4}(main + 2) = (target - next_pc(main))[31:0]
	.text
	.globl	main
main:
	movl	target@GOTPCREL(%rip), %ebx
	ret
	.size	main, . - main
