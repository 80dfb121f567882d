-- String patterns: classes, captures, anchors, balanced matches, frontiers, and substitutions.
local text = "key = value; other=  thing ;empty=;  last = 'quoted; text'"
for key, value in text:gmatch("(%w+)%s*=%s*([^;]*)") do print("pair", key, "[" .. value .. "]") end

print("find", ("hello world"):find("o w"), ("hello world"):find("l+"), ("a.b"):find(".", 1, true))
print("captures", ("2024-02-29"):match("^(%d+)-(%d+)-(%d+)$"))
print("position", ("abcabc"):match("()b()c"))
print("balanced", ("f(a(b)c)(d)"):match("%b()"))
print("frontier", ("THE (quick) fox"):find("%f[%a]%a+%f[%A]"), ("one two"):gsub("%f[%w]%w", string.upper))
print("lazy", ("<<a>><<b>>"):match("<<(.-)>>"), ("<<a>><<b>>"):match("<<(.+)>>"))
print("back", ("say 'hi' and \"ho\""):match("(['\"])(.-)%1"))
print("gsub table", (("$name is $age"):gsub("%$(%w+)", { name = "Lua", age = 31 })))
print("gsub function", (("1 2 3"):gsub("%d", function(d) return d * 2 end)))
print("gsub count", ("aaaa"):gsub("a", "b", 2))
print("gsub swap", (("hello world"):gsub("(%w+) (%w+)", "%2 %1")))
print("gsub empty", (("abc"):gsub("", "-")))
print("sets", (("a-b_c.d"):gsub("[%-_%.]", "/")), (("x]y^z"):gsub("[]^]", "!")))
print("classes", (("a1 B2\t!"):gsub("%l", "l"):gsub("%u", "u"):gsub("%d", "d"):gsub("%s", "s"):gsub("%p", "p")))
print("split", table.concat((function(s)
  local t = {}
  for field in (s .. ","):gmatch("(.-),") do t[#t + 1] = "<" .. field .. ">" end
  return t
end)("a,,b,c,"), ""))
print("bad", pcall(string.find, "a", "[a"), pcall(string.rep, "x", -1))
print("bad capture", pcall(string.gsub, "a", "(a", "b"))

local words, order = {}, {}
for word in ("the cat and the dog and the bird"):gmatch("%a+") do
  if not words[word] then order[#order + 1] = word end
  words[word] = (words[word] or 0) + 1
end
table.sort(order, function(a, b) return words[a] > words[b] or words[a] == words[b] and a < b end)
for _, word in ipairs(order) do io.write(word, ":", words[word], " ") end
print()

print("trim", "[" .. ("  spaced out  "):match("^%s*(.-)%s*$") .. "]")
print("reverse", ("stressed"):reverse(), ("abc"):rep(3, "|"), ("abc"):byte(1, -1))
print("sub", ("abcdef"):sub(2, -2), ("abcdef"):sub(-3), ("abcdef"):sub(10), #("abc"):sub(0))
local long = ("x"):rep(10000) .. "y"
print("long", long:find("y"), #long:gsub("x", "zz"), long:match("^x*y$") == long)
print("url", (("a b&c/ü"):gsub("[^%w]", function(c) return ("%%%02X"):format(c:byte()) end)))
