# R_X86_64_GOT32 and R_X86_64_GOTPLT64: offsets of the symbol's word in the GOT.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x7fff00000000
# expect: success
# peer: kinds unsupported

# jitlink-check: *{4}(main + 7) = (got_addr(case.o, target) - _GLOBAL_OFFSET_TABLE_)[31:0]
# jitlink-check: *{8}(main + 11) = got_addr(case.o, target) - _GLOBAL_OFFSET_TABLE_ + 1
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	leaq	_GLOBAL_OFFSET_TABLE_(%rip), %rbx
	.long	target@GOT
	.reloc	., R_X86_64_GOTPLT64, target + 1
	.quad	0
	.size	main, . - main
