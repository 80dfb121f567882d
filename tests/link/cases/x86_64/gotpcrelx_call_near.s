# call *x@GOTPCREL(%rip) in reach becomes a direct call behind a prefix without effect.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: success
# peer: it leaves calls and jumps of targets beyond 4 GiB indirect

# jitlink-check: *{2}main = 0xe867
# jitlink-check: *{4}(main + 2) = (target - (main + 6))[31:0]
	.text
	.globl	main
main:
	callq	*target@GOTPCREL(%rip)
	ret
	.size	main, . - main
