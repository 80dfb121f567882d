-- Closures: shared and separate upvalues, loops that make fresh ones, closing, and composition.
local function counter()
  local n = 0
  return function() n = n + 1 return n end, function() return n end, function(v) n = v end
end
local next1, get1, set1 = counter()
local next2 = counter()
next1() next1() next2()
set1(40)
print("shared", next1(), get1(), next2())

local makers = {}
for i = 1, 5 do
  local squared = i * i
  makers[i] = function(add) squared = squared + add return i, squared end
end
for i = 5, 1, -1 do makers[i](i) end
for i = 1, 5 do print("loop", makers[i](0)) end

local function compose(f, ...)
  if not f then return function(...) return ... end end
  local rest = compose(...)
  return function(...) return f(rest(...)) end
end
local function plus(n) return function(x) return x + n end end
print("compose", compose(plus(1), function(x) return x * 2 end, plus(3))(10))

local function memoize(f)
  local known, misses = {}, 0
  return function(n)
    local value = known[n]
    if value == nil then
      misses = misses + 1
      value = f(n)
      known[n] = value
    end
    return value
  end, function() return misses end
end
local fib, misses
fib, misses = memoize(function(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end)
print("memo", fib(80), misses())

local y = function(f)
  return (function(x) return x(x) end)(function(x) return f(function(...) return x(x)(...) end) end)
end
print("fixpoint", y(function(self) return function(n) return n == 0 and 1 or n * self(n - 1) end end)(15))

local log = {}
do
  local handle <close> = setmetatable({}, { __close = function() log[#log + 1] = "closed" end })
  local fixed <const> = 7
  log[#log + 1] = "open" .. fixed
end
print("close", table.concat(log, " "))

local function church(n)
  return function(f) return function(x) for _ = 1, n do x = f(x) end return x end end
end
local function power(a, b) return b(a) end
print("church", power(church(3), church(4))(function(x) return x + 1 end)(0))
