-- Coroutines: generators, producers and consumers, a scheduler, errors and yields across pcall.
local function generate(n)
  return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end end)
end
local sum = 0
for i, square in generate(10) do sum = sum + i * square end
print("generator", sum)

local function walk(tree)
  if tree then
    walk(tree.left)
    coroutine.yield(tree.key)
    walk(tree.right)
  end
end
local function insert(tree, key)
  if not tree then return { key = key } end
  local side = key < tree.key and "left" or "right"
  tree[side] = insert(tree[side], key)
  return tree
end
local tree
for _, key in ipairs { 50, 20, 70, 10, 30, 60, 80, 25 } do tree = insert(tree, key) end
local keys = {}
for key in coroutine.wrap(function() walk(tree) end) do keys[#keys + 1] = key end
print("tree", table.concat(keys, ","))

local ready, log = {}, {}
local function spawn(name, steps)
  ready[#ready + 1] = coroutine.create(function()
    for i = 1, steps do
      log[#log + 1] = name .. i
      coroutine.yield()
    end
    return name .. " done"
  end)
end
spawn("a", 3) spawn("b", 1) spawn("c", 2)
while #ready > 0 do
  local task = table.remove(ready, 1)
  local ok, result = coroutine.resume(task)
  if coroutine.status(task) == "dead" then log[#log + 1] = tostring(result) else ready[#ready + 1] = task end
end
print("scheduler", table.concat(log, " "))

local co = coroutine.create(function(a, b)
  local c = coroutine.yield(a + b)
  local ok, caught = pcall(function()
    local d = coroutine.yield(c * 2)
    error({ d = d })
  end)
  local e = coroutine.yield(ok, caught.d)
  return "end", e
end)
print("resume", coroutine.resume(co, 1, 2))
print("resume", coroutine.resume(co, 10))
print("resume", coroutine.resume(co, "payload"))
print("resume", coroutine.resume(co, "last"))
print("resume", coroutine.resume(co))
print("status", coroutine.status(co), coroutine.isyieldable(), select(2, coroutine.running()))

local failing = coroutine.create(function() local x = nil; return x.field end)
local ok, message = coroutine.resume(failing)
print("error", ok, (message:gsub("^.-:%d+: ", "")))

local sorted = {}
local sorter = coroutine.wrap(function()
  local t = { 5, 3, 8, 1 }
  table.sort(t, function(a, b) return a < b end)
  for _, v in ipairs(t) do coroutine.yield(v) end
end)
for v in sorter do sorted[#sorted + 1] = v end
print("sorted", table.concat(sorted, " "))

local closing = {}
local held = coroutine.create(function()
  local guard <close> = setmetatable({}, { __close = function() closing[1] = "closed" end })
  coroutine.yield()
end)
coroutine.resume(held)
print("close", coroutine.close(held), closing[1], coroutine.status(held))

local depth = 0
local function nest(n)
  if n == 0 then return "bottom" end
  depth = depth + 1
  return coroutine.wrap(function() return nest(n - 1) end)()
end
print("nested", nest(100), depth)
