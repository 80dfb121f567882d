# A thread-local access to an ordinary variable is an error.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -abs target=0x276ff8000
# expect: error R_X86_64_DTPMOD64 .*thread-local
# peer: it can't tell

	.text
	.globl	main
main:
	leaq	target@TLSGD(%rip), %rdi
	callq	__tls_get_addr@PLT
	ret
	.size	main, . - main
