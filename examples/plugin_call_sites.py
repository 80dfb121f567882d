"""Leading calls elsewhere: every call of a function, found as it is linked, then patched.

The recorder gives each call of `price` an entry of its own. Patching is one store for each, which
threads that are calling meanwhile see whole; no code is written to.
"""

import ctypes

import lazyjit
from lazyjit.layers.plugins.call_sites import CallSites

PROGRAM = """
define i32 @price(i32 %n) {
  %r = mul i32 %n, 10
  ret i32 %r
}
define i32 @sale(i32 %n) {
  %r = mul i32 %n, 7
  ret i32 %r
}
define i32 @order(i32 %n) {
  %a = call i32 @price(i32 %n)
  %b = call i32 @price(i32 1)
  %r = add i32 %a, %b
  ret i32 %r
}
"""

calls = CallSites("price")
with lazyjit.JIT(opt_level=0) as jit:
    jit.add_plugin(calls)
    jit.add(PROGRAM, name="shop.ll")
    order = jit.function("order", ctypes.c_int, ctypes.c_int)
    print("order(5):", order(5))
    print("calls of price, by:", *(site.caller for site in calls.sites()))

    calls.patch(jit.lookup("sale"))
    print("on sale:", order(5))
    calls.restore()
    print("and after:", order(5))
