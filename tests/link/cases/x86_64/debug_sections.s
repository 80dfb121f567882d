# Debug information, compressed too, takes no part in a link; nor do its relocations.
#
# assemble: -triple=x86_64-unknown-linux-gnu --compress-debug-sections=zlib
# link: -abs target=0x1000
# expect: success

# jitlink-check: *{8}main = target
	.text
	.globl	main
main:
	.quad	target
	.size	main, . - main
	.section	.debug_str,"MS",@progbits,1
	.asciz	"a string that is long enough to be compressed, a string that is long enough"
	.section	.debug_info,"",@progbits
	.quad	main
	.long	.Lline
	.section	.debug_line,"",@progbits
.Lline:
	.zero	200
