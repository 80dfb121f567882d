-- Errors: pcall, xpcall, error values of every type, rethrown ones, tracebacks; all by longjmp.
local function strip(s) return type(s) == "string" and (s:gsub("^.-:(%d+): ", "line: ")) or s end
print("string", pcall(error, "plain", 0))
print("table", select(2, pcall(error, { code = 7 })).code)
print("nil", pcall(error))
print("number", pcall(error, 42))
print("levels", strip(select(2, pcall(function() error("here") end))), strip(select(2, pcall(function() error("there", 2) end))))

local function thrower(depth)
  if depth == 0 then error("deep", 0) end
  local ok, message = pcall(thrower, depth - 1)
  error(message .. "<" .. depth, 0)
end
print("nested", pcall(thrower, 5))

for _, f in ipairs {
  function() return nil + 1 end,
  function() return {} .. "x" end,
  function() return #5 end,
  function() local t; t.x = 1 end,
  function() return 1 < "2" end,
  function() return {} < {} end,
  function() return ("x")() end,
  function() return 1 // 0 end,
  function() return 1 % 0 end,
  function() return 2 ^ 53 | 1.5 end,
  function() return math.tointeger("x") + 1 end,
  function() for i = 1, 10, 0 do end end,
  function() return setmetatable(1, {}) end,
  function() return ("x"):rep(1e10) end,
  function() return string.char(256) end,
} do
  print("runtime", strip(select(2, pcall(f))))
end

print("handler", xpcall(function() local x = nil; x() end, function(m) return "handled: " .. strip(m) end))
print("handler args", xpcall(function(...) return select("#", ...), ... end, print, 1, nil, 3))
print("handler fails", xpcall(error, function(m) error("again") end, "x"))
local trace = select(2, xpcall(function() error("traced") end, debug.traceback))
print("traceback", trace:match("traced"), trace:match("stack traceback") ~= nil)

local custom = setmetatable({ why = "custom" }, { __tostring = function(e) return "E(" .. e.why .. ")" end })
local ok, e = pcall(error, custom)
print("object", ok, tostring(e), e == custom)
print("assert", pcall(assert, false, "asserted"), pcall(assert, nil), select("#", assert(1, 2, 3)))

local closed = {}
local ok, message = pcall(function()
  local a <close> = setmetatable({}, { __close = function(_, e) closed[#closed + 1] = "a:" .. tostring(e) end })
  local b <close> = setmetatable({}, { __close = function(_, e) closed[#closed + 1] = "b:" .. tostring(e) error("from b", 0) end })
  error("body", 0)
end)
print("close", ok, message, table.concat(closed, " "))

local count = 0
for i = 1, 2000 do
  if not pcall(function() if i % 3 == 0 then error(i) end end) then count = count + 1 end
end
print("many", count)
print("in sort", strip(select(2, pcall(table.sort, { 1, 2, "x" }))))
print("in gsub", pcall(string.gsub, "abc", "%w", function(c) if c == "b" then error("stop at b", 0) end end))
print("in metamethod", pcall(function() return setmetatable({}, { __add = function() error("no add", 0) end }) + 1 end))
print("load", load("return +"), load("x ="))
print("warn", pcall(warn, "@on"))
