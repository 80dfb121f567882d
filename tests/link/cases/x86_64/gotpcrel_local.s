# The word of a local function holds its address like any other.
#
# assemble: -triple=x86_64-unknown-linux-gnu --x86-relax-relocations=false
# expect: success

# jitlink-check: decode_operand(main, 5) = got_addr(case.o, callee) - next_pc(main)
# jitlink-check: *{8}(got_addr(case.o, callee)) = callee
	.text
	.globl	main
main:
	addq	callee@GOTPCREL(%rip), %rax
	ret
	.size	main, . - main
	.globl	callee
	.hidden	callee
callee:
	ret
	.size	callee, . - callee
