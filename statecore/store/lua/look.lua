-- What kind of thing each key holds, how long it lives and how large it is; for the doctor only.
--
-- KEYS  the keys
-- ARGV  none
-- Reply {type, milliseconds left (-1: for ever, -2: no such key), members or bytes, …} of each key
-- Test  tests/doctor/test_walking.py

local sizes = {string = 'STRLEN', hash = 'HLEN', set = 'SCARD', zset = 'ZCARD', stream = 'XLEN', list = 'LLEN'}
local found = {}
for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  found[#found + 1] = kind
  found[#found + 1] = redis.call('PTTL', key)
  found[#found + 1] = sizes[kind] and redis.call(sizes[kind], key) or 0
end
return found
