# __start_ and __stop_ stand for the bounds of a section whose name is an identifier.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: it has no such symbols

# jitlink-check: *{8}main = section_addr(case.o, registry)
# jitlink-check: *{8}(main + 8) = section_addr(case.o, registry) + 16
	.text
	.globl	main
main:
	.quad	__start_registry
	.quad	__stop_registry
	.size	main, . - main
	.section	registry,"aw",@progbits
	.quad	1
	.quad	2
