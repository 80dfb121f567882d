# Tables of initializers hold addresses like any data.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# expect: success
# peer: it drops the table, which nothing refers to, unless a runtime asks for it

# jitlink-check: *{8}(section_addr(case.o, .init_array)) = first
# jitlink-check: *{8}(section_addr(case.o, .init_array) + 8) = second
	.text
	.globl	main
main:
	ret
	.size	main, . - main
	.globl	first, second
first:
	ret
	.size	first, . - first
second:
	ret
	.size	second, . - second
	.section	.init_array,"aw",@init_array
	.quad	first
	.quad	second
