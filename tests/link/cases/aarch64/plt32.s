# R_AARCH64_PLT32: a relative pointer of a table to a function, through its stub when that is far.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success
# peer: kind unsupported

# jitlink-check: *{4}main = (stub_addr(case.o, target) - main)[31:0]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
	.text
	.globl	main
main:
	.reloc	main, R_AARCH64_PLT32, target
	.word	0
	.size	main, . - main
