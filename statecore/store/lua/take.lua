-- Lease up to n members: those whose lease has run out, oldest deadline first,
-- then those of the queue, lowest score first. All get a new deadline.
--
-- KEYS  1 sorted set of members that wait, by priority
--       2 sorted set of leased members, by deadline in ms
-- ARGV  1 n    2 lifetime of the lease in ms
-- Reply {server time in µs, member, …}
-- Test  tests/store/test_lua.py, tests/store/test_conformance.py (TestTakes)

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000)
local wanted = tonumber(ARGV[1])
-- unpack() and the arguments of one call live on Lua's C stack, which holds 8000
local STACK = 4000

local taken = {now_us}
if wanted < 1 then
  return taken
end
local due = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now_ms), 'LIMIT', 0, wanted)
for n, member in ipairs(due) do
  taken[n + 1] = member
end
for start = 1, #due, STACK do
  -- a member may also wait in the queue, put there by hand: it is handed out once
  redis.call('ZREM', KEYS[1], unpack(due, start, math.min(start + STACK - 1, #due)))
end
if #due < wanted then
  local popped = redis.call('ZPOPMIN', KEYS[1], wanted - #due)
  for n = 1, #popped, 2 do
    taken[#taken + 1] = popped[n]
  end
end

local deadline = string.format('%.0f', now_ms + ARGV[2])
for start = 2, #taken, STACK / 2 do
  local leases = {}
  for n = start, math.min(start + STACK / 2 - 1, #taken) do
    leases[#leases + 1] = deadline
    leases[#leases + 1] = taken[n]
  end
  redis.call('ZADD', KEYS[2], unpack(leases))
end
return taken
