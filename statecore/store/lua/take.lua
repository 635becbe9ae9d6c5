-- Lease up to n members: those whose lease has run out, oldest deadline first,
-- then those of the queue, lowest score first. All get a new deadline. What their
-- companions hold is read before anything is written: a key of another type takes nothing.
--
-- KEYS  1 sorted set of members that wait, by priority
--       2 sorted set of leased members, by deadline in ms
-- ARGV  1 n    2 lifetime of the lease in ms    3 mark that parts a member's name, or nothing
--       then for each companion: 1 for a field of a hash, else 0; begin of its key. The keys
--       are not among KEYS, because the members name them; they are of the same partition.
-- Reply {server time in µs, member, its companions, member, …}
-- Test  tests/store/test_lua.py, tests/store/test_conformance.py (TestTakes)

local time = redis.call('TIME')
local now_us = time[1] * 1000000 + time[2]
local now_ms = math.floor(now_us / 1000)
local wanted, mark = tonumber(ARGV[1]), ARGV[3]
-- unpack() and the arguments of one call live on Lua's C stack, which holds 8000
local STACK = 4000

local reply = {now_us}
if wanted < 1 then
  return reply
end

local taken = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now_ms), 'LIMIT', 0, wanted)
local is_due = {}
for _, member in ipairs(taken) do
  is_due[member] = true
end
if #taken < wanted then
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, wanted - 1)) do
    -- a leased member may also wait in the queue, put there by hand: it is handed out once
    if #taken < wanted and not is_due[member] then
      taken[#taken + 1] = member
    end
  end
end

-- what stands before and after the last mark; without a mark all of it stands before
local function parted(member)
  if mark == '' then
    return member, ''
  end
  local at, next_at = nil, string.find(member, mark, 1, true)
  while next_at do
    at, next_at = next_at, string.find(member, mark, next_at + 1, true)
  end
  if at then
    return string.sub(member, 1, at - 1), string.sub(member, at + #mark)
  end
end

for _, member in ipairs(taken) do
  reply[#reply + 1] = member
  local stem, part = parted(member)
  for n = 4, #ARGV, 2 do
    if not stem then
      reply[#reply + 1] = false
    elseif ARGV[n] == '1' then
      reply[#reply + 1] = redis.call('HGET', ARGV[n + 1] .. stem, part)
    else
      reply[#reply + 1] = redis.call('GET', ARGV[n + 1] .. stem)
    end
  end
end

local deadline = string.format('%.0f', now_ms + ARGV[2])
for start = 1, #taken, STACK / 2 do
  local stop = math.min(start + STACK / 2 - 1, #taken)
  local leases = {}
  for n = start, stop do
    leases[#leases + 1] = deadline
    leases[#leases + 1] = taken[n]
  end
  redis.call('ZREM', KEYS[1], unpack(taken, start, stop))
  redis.call('ZADD', KEYS[2], unpack(leases))
end
return reply
