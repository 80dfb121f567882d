# R_X86_64_CODE_4_GOTPCRELX: the same load by an instruction with a REX2 prefix.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success
# peer: kind unsupported

# jitlink-check: *{4}(main + 4) = (got_addr(case.o, target) - (main + 8))[31:0]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	movq	target@GOTPCREL(%rip), %r16
	ret
	.size	main, . - main
