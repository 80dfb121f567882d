-- The script of the Lua workload. It uses part of Lua: closures, tables and sorting, string
-- formatting and patterns, pcall, a coroutine; not io, os, debug, utf8, goto or loading of bytecode.
-- The first line is the first result; the last one the script's end. The work between is small on
-- purpose: what is measured is how soon a program gets going, not how fast its code is.

local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end
print("fib", fib(16))

local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do
  words[#words + 1] = word
end
table.sort(words)
print("sorted", table.concat(words, " "))

local counter = setmetatable({}, { __index = function() return 0 end })
for i = 1, 2000 do
  local key = string.format("%03d", (i * i) % 97)
  counter[key] = counter[key] + 1
end
local keys = {}
for key in pairs(counter) do keys[#keys + 1] = key end
table.sort(keys, function(a, b)
  return counter[a] > counter[b] or (counter[a] == counter[b] and a < b)
end)
print("squares", #keys, keys[1], counter[keys[1]])

local generate = coroutine.wrap(function()
  for i = 1, 100 do coroutine.yield(i) end
end)
local sum = 0
for i = 1, 100 do sum = sum + generate() * i end
print("coroutine", sum)

local ok, problem = pcall(error, { code = 42 })
print("caught", ok, problem.code)
print("replaced", (("hello world"):gsub("(%w+)", function(w) return w:upper() .. #w end)))
