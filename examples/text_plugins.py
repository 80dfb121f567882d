"""A host of plug-ins: files of IR that change text, loaded, replaced and unloaded as it runs.

Each plug-in is a `.ll` file with a function `change`. Two have a function of that name without
being in each other's way. `reload` swaps in what the file has now: callers get the new code, calls
under way finish in the old. What a plug-in keeps (a counter here) is its own, and starts anew.
"""

import tempfile
from pathlib import Path

import lazyjit
from lazyjit.errors import IRError, SymbolRemoved

# Applies `letter` to each byte that is a small letter, and counts these.
PLUGIN = """
@seen = internal global i64 0

define void @change(ptr %text, i64 %n) {
entry:
  br label %test
test:
  %i = phi i64 [ 0, %entry ], [ %i1, %next ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %body, label %done
body:
  %place = getelementptr i8, ptr %text, i64 %i
  %c = load i8, ptr %place
  %from.a = sub i8 %c, 97
  %small = icmp ult i8 %from.a, 26
  br i1 %small, label %letter, label %next
letter:
  %new = call i8 @letter(i8 %from.a)
  store i8 %new, ptr %place
  %old = load i64, ptr @seen
  %count = add i64 %old, 1
  store i64 %count, ptr @seen
  br label %next
next:
  %i1 = add i64 %i, 1
  br label %test
done:
  ret void
}
define i64 @letters() {
  %seen = load i64, ptr @seen
  ret i64 %seen
}
define internal i8 @letter(i8 %from.a) {
"""
LOUD = PLUGIN + "  %r = add i8 %from.a, 65\n  ret i8 %r\n}\n"
TURN = "  %s = add i8 %from.a, BY\n  %m = urem i8 %s, 26\n  %r = add i8 %m, 97\n  ret i8 %r\n}\n"
SECRET = PLUGIN + TURN.replace("BY", "13")


def apply(plugins, text):
    """The text as each plug-in in turn leaves it."""
    buffer = bytearray(text, "ascii")
    for plugin in plugins:
        plugin.function("change", "void(uint8[:] text, int64 n)")(buffer, len(buffer))
    return buffer.decode()


with tempfile.TemporaryDirectory() as folder, lazyjit.JIT() as jit:
    loud, secret = Path(folder, "loud.ll"), Path(folder, "secret.ll")
    loud.write_text(LOUD)
    secret.write_text(SECRET)
    plugins = {file.stem: jit.load(file) for file in (loud, secret)}
    print("loud:", apply([plugins["loud"]], "hello, plug-ins"))
    print("secret:", apply([plugins["secret"]], "hello, plug-ins"))
    print("both:", apply([plugins["secret"], plugins["loud"]], "hello, plug-ins"))
    print("letters seen by secret:", plugins["secret"].letters())

    secret.write_text(PLUGIN + TURN.replace("BY", "1"))
    plugins["secret"].reload()
    print("reloaded:", apply([plugins["secret"]], "hal"), plugins["secret"].letters())

    secret.write_text("define this is nothing {")
    try:
        plugins["secret"].reload()
    except IRError:
        print("a file that is no good: the old code stays,", apply([plugins["secret"]], "hal"))

    letters = plugins["secret"].letters
    plugins["secret"].unload()
    try:
        letters()
    except SymbolRemoved as error:
        print("unloaded:", error)
