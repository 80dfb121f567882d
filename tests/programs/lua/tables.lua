-- Tables: arrays and hashes growing into each other, sorting, moving, next, and metatables.
local t = {}
for i = 1, 100 do t[i] = i end
for i = 100, 51, -1 do t[i] = nil end
t.x, t[1.5], t[true] = "x", "float", "bool"
print("length", #t, t.x, t[1.5], t[true], t[51])

local data = {}
local seed = 42
local function random() seed = (seed * 1103515245 + 12345) % 2147483648 return seed end
for i = 1, 500 do data[i] = random() % 1000 end
table.sort(data)
local ordered = true
for i = 2, #data do ordered = ordered and data[i - 1] <= data[i] end
print("sort", ordered, data[1], data[250], data[500])
table.sort(data, function(a, b) return a > b end)
print("descending", data[1], data[500])
print("invalid order", pcall(table.sort, { 3, 1, 2, 5, 4, 9, 8, 7, 6, 0, 11, 10 }, function() return true end))

local people = { { "Ann", 30 }, { "Bob", 25 }, { "Cid", 30 }, { "Dan", 20 } }
table.sort(people, function(a, b) return a[2] < b[2] or a[2] == b[2] and a[1] > b[1] end)
for _, p in ipairs(people) do io.write(p[1], "=", p[2], " ") end
print()

table.insert(data, 1, "first") table.insert(data, "last")
print("insert", data[1], data[2], data[#data], table.remove(data, 1), table.remove(data), #data)
print("move", table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ","), table.concat(table.move({ 1, 2, 3 }, 2, 3, 1), ","))
print("pack", table.pack(1, nil, 3).n, select("#", table.unpack({ 1, nil, 3 }, 1, 3)))

local vector = {}
vector.__index = vector
local function new(x, y) return setmetatable({ x = x, y = y }, vector) end
vector.__add = function(a, b) return new(a.x + b.x, a.y + b.y) end
vector.__mul = function(a, b) return type(a) == "number" and new(a * b.x, a * b.y) or a.x * b.x + a.y * b.y end
vector.__unm = function(a) return new(-a.x, -a.y) end
vector.__eq = function(a, b) return a.x == b.x and a.y == b.y end
vector.__lt = function(a, b) return a:norm() < b:norm() end
vector.__le = function(a, b) return a:norm() <= b:norm() end
vector.__tostring = function(a) return "(" .. a.x .. "," .. a.y .. ")" end
vector.__concat = function(a, b) return tostring(a) .. tostring(b) end
vector.__len = function() return 2 end
vector.__call = function(a, k) return a[k] end
vector.__idiv = function(a, n) return new(a.x // n, a.y // n) end
function vector:norm() return self.x * self.x + self.y * self.y end
local a, b = new(3, 4), new(1, 2)
print("vector", tostring(a + b), a * b, tostring(2 * a), tostring(-a), a == new(3, 4), a > b, a <= b, a .. b, #a, a("x"), tostring(a // 2))

local defaults = setmetatable({}, { __index = function(self, k) local v = k .. "!" rawset(self, k, v) return v end })
print("index", defaults.hello, rawget(defaults, "hello"), rawget(defaults, "other"))
local readonly = setmetatable({}, { __newindex = function(_, k) error("read-only: " .. k, 0) end, __metatable = "locked" })
print("newindex", pcall(function() readonly.x = 1 end))
print("metatable", getmetatable(readonly), pcall(setmetatable, readonly, {}))

local base = {} base.__index = base
function base.new(class, name) return setmetatable({ name = name }, class) end
function base:hello() return "I am " .. self.name end
local derived = setmetatable({}, { __index = base }) derived.__index = derived
function derived:hello() return base.hello(self) .. ", derived" end
print("inherit", base:new("base"):hello(), derived:new("child"):hello())

local iterated = setmetatable({}, { __pairs = function() return function(_, k) k = (k or 0) + 1 if k <= 3 then return k, k * k end end, nil, nil end })
for k, v in pairs(iterated) do io.write(k, ":", v, " ") end
print()
local keys = {}
for k in pairs { 1, 2, x = 1, y = 2, [10] = 3 } do keys[#keys + 1] = tostring(k) end
table.sort(keys)
print("pairs", table.concat(keys, " "), next({}), rawlen({ 1, 2 }), rawequal(a, a))
local matrix = {}
for i = 1, 20 do matrix[i] = {} for j = 1, 20 do matrix[i][j] = (i * j) % 7 end end
local trace = 0
for i = 1, 20 do for j = 1, 20 do trace = trace + matrix[i][j] * matrix[j][i] end end
print("matrix", trace)
