# jmp *x@GOTPCREL(%rip) in reach becomes a direct jump, and a nop that fills the gap.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success
# peer: it leaves calls and jumps of targets beyond 4 GiB indirect

# jitlink-check: *{1}main = 0xe9
# jitlink-check: *{4}(main + 1) = (target - (main + 5))[31:0]
# jitlink-check: *{1}(main + 5) = 0x90
	.text
	.globl	main
main:
	jmpq	*target@GOTPCREL(%rip)
	.size	main, . - main
