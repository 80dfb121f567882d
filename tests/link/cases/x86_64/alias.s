# Two names for one place: -alias gives a symbol that the object doesn't have.
#
# assemble: -triple=x86_64-unknown-linux-gnu
# link: -alias other=callee
# expect: success

# jitlink-check: *{8}main = callee
	.text
	.globl	main
main:
	.quad	other
	.size	main, . - main
	.globl	callee
callee:
	ret
	.size	callee, . - callee
