# A call out of reach goes to a stub: adrp and ldr fetch the address from the GOT, br goes there.
#
# assemble: -triple=aarch64-unknown-linux-gnu
# link: -abs target=0x7fff00000124
# expect: success

# jitlink-check: decode_operand(main, 0) = (stub_addr(case.o, target) - main)[27:2]
# jitlink-check: *{8}(got_addr(case.o, target)) = target
# jitlink-check: (*{4}(stub_addr(case.o, target) + 8)) = 0xd61f0200
# jitlink-check: ((*{4}(stub_addr(case.o, target) + 4)) & 0xffc003ff) = 0xf9400210
# jitlink-check: (*{4}(stub_addr(case.o, target) + 4))[21:10] = (got_addr(case.o, target))[11:3]
	.text
	.globl	main
main:
	bl	target
	ret
	.size	main, . - main
