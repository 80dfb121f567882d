-- load, dofile, require, string.dump: the compiler and the loader of bytecode, at run time.
print("load", load("return 1 + 2")(), load("local a, b = ... return b, a")(1, 2))
print("syntax", load("return return", "=chunk"))
print("environment", load("x = 5 return x", "c", "t", {})(), x)
local pieces = { "return ", "10 ", "* ", "4", nil }
local position = 0
print("pieces", load(function() position = position + 1 return pieces[position] end)())
print("reader fails", load(function() error("broken", 0) end))
local add = load(string.dump(function(a, b) return a + b, #{ a, b } end))
print("dump", add(2, 3), add(2.5, 3))
local stripped = load(string.dump(function(n) local t = {} for i = 1, n do t[i] = i end return #t end, true), "s", "b")
print("stripped", stripped(7), load(string.dump(print == nil and print or function() end), "s", "t"))
print("bad bytecode", load("\27Lua", "b", "b"))

local file = assert(io.open("piece.lua", "w"))
file:write("local name = ...\nshared = (shared or 0) + 1\nreturn { name = name, times = shared }\n")
file:close()
print("dofile", dofile("piece.lua").times, dofile("piece.lua").times, shared)
print("loadfile", loadfile("piece.lua")("given").name, loadfile("absent.lua"))
package.path = "./?.lua"
print("require", require("piece").name, require("piece").times, package.loaded.piece == require("piece"))
print("missing", (select(2, pcall(require, "nothing.here")):match("module 'nothing.here' not found")))
package.preload.made = function(name, extra) return { name = name, extra = extra } end
print("preload", require("made").name, require("made").extra)
os.remove("piece.lua")

local parts = {}
for i = 1, 300 do parts[#parts + 1] = ("local v%d = %d"):format(i, i):gsub("local v" .. i, i <= 150 and "local v" .. i or "v" .. i) end
local big = load(table.concat(parts, "\n") .. "\nreturn v1 + v150 + v300")
print("big", big())
local nested = ("("):rep(100) .. "7" .. (")"):rep(100)
print("nested", load("return " .. nested)(), (load("return " .. ("("):rep(300) .. "7" .. (")"):rep(300))))
local calls = {}
debug.sethook(function(event, line) calls[#calls + 1] = event end, "l")
local a = 1
local b = a + 1
debug.sethook()
print("hook", #calls, calls[1], debug.gethook())
local function inspected(p, q) local r = p + q return debug.getlocal(1, 3), debug.getinfo(1, "n").name, debug.getinfo(1, "l").currentline end
print("debug", inspected(1, 2))
print("info", debug.getinfo(print).what, debug.getinfo(1, "S").what, debug.getinfo(inspected, "u").nparams)
local up = 5
local function uses() return up end
print("upvalue", debug.getupvalue(uses, 1), debug.setupvalue(uses, 1, 6), uses())
