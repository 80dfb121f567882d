-- Varargs and multiple results: adjustment, select, pack and unpack, long lists, named and nameless.
local function count(...) return select("#", ...) end
print("count", count(), count(nil), count(nil, nil), count(1, 2, 3, nil))
local function both(...) local a, b = ... return b, a end
print("adjust", both(1), both(1, 2), both(1, 2, 3))
print("middle", (both(1, 2)), both(1, 2), "end")
local t = { both(1, 2), both(3, 4) }
print("table", #t, t[1], t[2], t[3])
print("select", select(2, "a", "b", "c"), select(-1, "a", "b", "c"))
print("bad select", pcall(select, 0))
local function sum(...)
  local total = 0
  for _, v in ipairs { ... } do total = total + v end
  return total, select("#", ...)
end
local many = {}
for i = 1, 200 do many[i] = i end
print("sum", sum(table.unpack(many)))
print("too many", pcall(table.unpack, {}, 1, 1e7))
local function tail(n, ...) if n == 0 then return ... end return tail(n - 1, n, ...) end
print("tail", tail(10))
local function map(f, first, ...) if first == nil then return end return f(first), map(f, ...) end
print("map", map(function(x) return x * x end, 1, 2, 3, 4))
local packed = table.pack(map(tostring, 1, 2.0, true))
print("packed", packed.n, packed[2], packed[3])
local function named(options) return options.a or "-", options.b or "-" end
print("named", named { a = 1 }, named { b = 2 }, named {})
print("string call", ("x"):rep(3), #"abc", type "x", (("%s-%s"):format(1, 2)))
local function curry(f, ...) local a = table.pack(...) return function(...)
  local b = table.pack(table.unpack(a, 1, a.n))
  for i = 1, select("#", ...) do b[b.n + i] = (select(i, ...)) end
  return f(table.unpack(b, 1, b.n + select("#", ...)))
end end
print("curry", curry(math.max, 3, 9)(4, 7), curry(string.format, "%d:%s")(5, "five"))
print("script", select("#", ...), ...)
print("arg", #arg, arg[0] ~= nil, arg[1], arg[2], arg[3])
local a, b, c, d = (function() return 1, 2 end)()
print("missing", a, b, c, d)
local x, y = 1, 2
x, y = y, x
print("swap", x, y)
local i, list = 1, {}
i, list[i] = i + 1, 20
print("order", i, list[1], list[2])
