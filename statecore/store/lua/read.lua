-- Read some places at one moment. A read of nothing asks for the time.
--
-- KEYS  every key that is read
-- ARGV  for each place: command, key index, number of arguments n, n arguments
-- Reply {server time in µs or nil, reply of each command, …}
-- Test  tests/store/test_lua.py, tests/store/test_conformance.py (TestReads)

local replies = {false}
if #ARGV == 0 then
  local time = redis.call('TIME')
  replies[1] = time[1] * 1000000 + time[2]
end
local at, stop = 1, #ARGV
while at <= stop do
  local last = at + 2 + ARGV[at + 2]
  replies[#replies + 1] = redis.call(ARGV[at], KEYS[tonumber(ARGV[at + 1])], unpack(ARGV, at + 3, last))
  at = last + 1
end
return replies
