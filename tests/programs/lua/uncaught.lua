-- A script that ends with an error: the message and traceback on standard error, exit code 1.
local function inner(x) return x.field.other end
local function outer(...) return (inner({}, ...)) end
print("before")
io.stdout:flush()
outer(1, 2)
