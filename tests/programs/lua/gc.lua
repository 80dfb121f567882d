-- Garbage collection: finalizers, weak tables, both modes, and a lot of short-lived objects.
local finalized = 0
for i = 1, 200 do setmetatable({}, { __gc = function() finalized = finalized + 1 end }) end
collectgarbage() collectgarbage()
print("finalized", finalized)

local weak_keys, weak_values = setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "v" })
local kept = {}
for i = 1, 50 do
  local key, value = {}, {}
  weak_keys[key], weak_values[i] = i, value
  if i % 5 == 0 then kept[#kept + 1] = key kept[#kept + 1] = value end
end
collectgarbage() collectgarbage()
local k, v = 0, 0
for _ in pairs(weak_keys) do k = k + 1 end
for _ in pairs(weak_values) do v = v + 1 end
print("weak", k, v, #kept)

local order = {}
for i = 1, 3 do
  kept[i] = setmetatable({}, { __gc = function() order[#order + 1] = i end })
end
kept = nil
collectgarbage()
print("order", table.concat(order, " "))

local revived
do
  setmetatable({ name = "phoenix" }, { __gc = function(o) revived = o end })
end
collectgarbage()
print("revived", revived and revived.name)

for _, mode in ipairs { "generational", "incremental" } do
  collectgarbage(mode)
  local list = nil
  for i = 1, 20000 do
    list = { next = list, value = i }
    if i % 100 == 0 then list = nil end
  end
  local strings = {}
  for i = 1, 3000 do strings[i % 100 + 1] = ("string %d"):format(i) .. ("."):rep(i % 50) end
  collectgarbage("step", 10)
  print(mode, #strings, #strings[1], list == nil)
end

local before = collectgarbage("count")
local big = {}
for i = 1, 100 do big[i] = ("x"):rep(1000) .. i end
local during = collectgarbage("count")
big = nil
collectgarbage()
print("returned", during - before > 90, collectgarbage("count") < during)

collectgarbage("stop")
print("running", collectgarbage("isrunning"))
collectgarbage("restart")
print("running", collectgarbage("isrunning"))

local ephemeron = setmetatable({}, { __mode = "k" })
do
  local a, b = {}, {}
  ephemeron[a], ephemeron[b] = b, a
end
collectgarbage()
print("ephemeron", next(ephemeron))
setmetatable({}, { __gc = function() print("at exit") end })
