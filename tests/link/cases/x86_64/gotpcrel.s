# R_X86_64_GOTPCREL addresses the symbol's word in the GOT.
#
# assemble: -triple=x86_64-unknown-linux-gnu --x86-relax-relocations=false
# link: -abs target=0x276ff8000
# expect: success

# jitlink-check: decode_operand(main, 4) = got_addr(case.o, target) - next_pc(main)
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	movq	target@GOTPCREL(%rip), %rax
	ret
	.size	main, . - main
