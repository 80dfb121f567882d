-- Control flow: goto in its uses, numeric and generic loops at their limits, break and repeat.
for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 then goto continue end
    if i == 3 then goto done end
    io.write(i, ",", j, " ")
    ::continue::
  end
end
::done::
print("done")

do
  local i = 1
  ::top::
  if i <= 5 then
    io.write(i * i, " ")
    i = i + 1
    goto top
  end
  print()
end

do
  local fs = {}
  local i = 1
  ::again::
  local captured = i * 10
  fs[i] = function() captured = captured + 1 return captured end
  i = i + 1
  if i <= 3 then goto again end
  print("captured", fs[1](), fs[1](), fs[2](), fs[3]())
end

local function machine(input)
  local i, out = 0, {}
  ::start::
  i = i + 1
  local c = input:sub(i, i)
  if c == "" then goto finish end
  if c:match("%d") then goto digit end
  if c == " " then goto start end
  goto word
  ::digit::
  out[#out + 1] = "D" .. c
  goto start
  ::word::
  out[#out + 1] = "W" .. c
  goto start
  ::finish::
  do return table.concat(out, "") end
end
print("machine", machine("a1 b2c3"))

local n = 0
for i = 10, 1, -3 do n = n * 100 + i end
print("down", n)
for x = 1.0, 2.0, 0.25 do io.write(x, " ") end
print()
for i = math.maxinteger - 2, math.maxinteger do io.write(i, " ") end
print()
for i = 3, 1 do print("never", i) end
repeat local inner = n n = n // 10 until inner < 100
print("repeat", n)
while true do n = n + 1 if n > 20 then break end end
print("while", n)
for a, b, c in (function() return function(s, v) v = v + 1 if v < s then return v, v * 2, v * 3 end end, 4, 0 end)() do io.write(a, b, c, " ") end
print()
print("no label", load("goto nowhere"))
print("into scope", load("do goto f; local x; ::f:: print(x) end"))
print("shadow", load("::a:: ::a::"))
