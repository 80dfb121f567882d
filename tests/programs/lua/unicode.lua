-- utf8: encoding, decoding, iteration, offsets, invalid sequences; and bytes above 127 in strings.
local s = "aé€😀z"
print("length", #s, utf8.len(s), utf8.len("\xff"), utf8.len(s, 3))
for position, code in utf8.codes(s) do io.write(position, ":", ("%X"):format(code), " ") end
print()
print("char", utf8.char(72, 228, 8364, 128512), utf8.char(), #utf8.char(0x7FFFFFFF))
print("codepoint", utf8.codepoint(s, 1, -1))
print("offset", utf8.offset(s, 3), utf8.offset(s, -1), utf8.offset(s, 0, 4), utf8.offset(s, 10))
print("pattern", #utf8.charpattern, (function() local n = 0 for _ in s:gmatch(utf8.charpattern) do n = n + 1 end return n end)())
print("invalid", pcall(utf8.codepoint, "\xC3"), pcall(function() for _ in utf8.codes("a\x80") do end end))
print("surrogate", utf8.len("\u{D7FF}"), utf8.len("\xED\xA0\x80"), utf8.len("\xED\xA0\x80", 1, -1, true))
print("escapes", "\u{48}\u{20AC}\x41\65\z
                   joined", '\'', "tab\tend", "nul\0inside" == "nul\0inside", #"nul\0inside")
local reversed = {}
for _, code in utf8.codes(s) do table.insert(reversed, 1, utf8.char(code)) end
print("reversed", table.concat(reversed))
print("upper", s:upper(), s:byte(-1), s:find("€", 1, true))
local all = {}
for b = 0, 255 do all[#all + 1] = string.char(b) end
local bytes = table.concat(all)
local sum = 0
for i = 1, #bytes do sum = sum + bytes:byte(i) * i end
print("bytes", #bytes, sum, bytes:find("\0", 1, true), bytes:find("\xff", 1, true))
print("long", [[
first newline is dropped
]] .. [==[ level ]] two ]==])
print("compare", "a" < "b", "Z" < "a", "" < "a", "a\0b" < "a\0c", "é" == "e\u{301}")
