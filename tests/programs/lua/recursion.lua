-- Recursion: plain, mutual, through upvalues, as tail calls without a stack, and until it overflows.
local function ackermann(m, n)
  if m == 0 then return n + 1 end
  if n == 0 then return ackermann(m - 1, 1) end
  return ackermann(m - 1, ackermann(m, n - 1))
end
print("ackermann", ackermann(2, 6))

local is_even, is_odd
function is_even(n) if n == 0 then return true end return is_odd(n - 1) end
function is_odd(n) if n == 0 then return false end return is_even(n - 1) end
print("mutual", is_even(100001), is_odd(100001))

local function hanoi(n, from, to, via, move)
  if n == 0 then return end
  hanoi(n - 1, from, via, to, move)
  move(n, from, to)
  hanoi(n - 1, via, to, from, move)
end
local moves, trace = 0, {}
hanoi(8, "A", "C", "B", function(disc, from, to)
  moves = moves + 1
  if disc > 6 then trace[#trace + 1] = disc .. from .. to end
end)
print("hanoi", moves, table.concat(trace, " "))

local function queens(n)
  local found, columns, up, down = 0, {}, {}, {}
  local function place(row)
    if row > n then found = found + 1 return end
    for c = 1, n do
      if not (columns[c] or up[row + c] or down[row - c]) then
        columns[c], up[row + c], down[row - c] = true, true, true
        place(row + 1)
        columns[c], up[row + c], down[row - c] = nil, nil, nil
      end
    end
  end
  place(1)
  return found
end
print("queens", queens(6), queens(7))

local function endless(n) return 1 + endless(n + 1) end
local ok, message = pcall(endless, 1)
print("overflow", ok, message:match("stack overflow") )

local function permutations(a, n, visit)
  if n <= 1 then return visit(a) end
  for i = 1, n do
    a[n], a[i] = a[i], a[n]
    permutations(a, n - 1, visit)
    a[n], a[i] = a[i], a[n]
  end
end
local count, signature = 0, 0
permutations({ 1, 2, 3, 4, 5, 6 }, 6, function(a)
  count = count + 1
  signature = (signature * 31 + a[1] * 7 + a[6]) % 1000003
end)
print("permutations", count, signature)
