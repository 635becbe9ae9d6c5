-- Apply all writes of a commit if every expected cell still holds exactly the
-- expected bytes; otherwise write nothing and answer what the cells hold now.
-- Types are checked before the first write: a script that fails in the middle
-- is not rolled back. A plan met often is unrolled into a script of its own
-- (unrolled.py), which must do the same.
--
-- KEYS  every key that is expected something of, or written to
-- ARGV  1. "1" to be told the server's time, which costs as much as three writes
--       2. length of the plan, and the plan:
--            number of type checks, then for each:   command that counts what a key of
--              that type holds (ZCARD, XLEN, …), key index
--            number of expectations, then for each:  GET, HGET or HLEN, key index, "1"
--              or "0" for absent
--            for each write:                         command, key index, number of its
--              arguments. Three commands are our own:
--                SETPX      value and lifetime in ms
--                DEADLINES  pairs of delay in ms and member, scored now + delay
--                APPEND     the stream's bound, then entries
--       3. the data that the plan consumes: for each expectation the field of a HGET
--          and the bytes unless absent, for each write its arguments
-- Reply {server time in µs or nil}                  committed
--       {server time in µs or nil, bytes or nil, …} conflict: all expected cells
-- Test  tests/store/test_lua.py, tests/store/test_conformance.py (TestCommits)

local call, KEYS, ARGV = redis.call, KEYS, ARGV
-- unpack() puts its values on Lua's C stack, which holds 8000; even, to keep pairs together
local STACK = 4000

local function time_us()
  local time = call('TIME')
  return time[1] * 1000000 + time[2]
end

local plan = 4
local data = ARGV[2] + 3
local stop = data

for _ = 1, tonumber(ARGV[3]) do
  -- fails for a key of another type
  call(ARGV[plan], KEYS[tonumber(ARGV[plan + 1])])
  plan = plan + 2
end

local current, is_same = {ARGV[1] == '1' and time_us()}, true
local expected = tonumber(ARGV[plan])
plan = plan + 1
for n = 2, expected + 1 do
  local key, value = KEYS[tonumber(ARGV[plan + 1])], nil
  if ARGV[plan] == 'GET' then
    value = call('GET', key)
  elseif ARGV[plan] == 'HLEN' then
    value = tostring(call('HLEN', key))
  else
    value = call('HGET', key, ARGV[data])
    data = data + 1
  end
  current[n] = value
  if ARGV[plan + 2] == '1' then
    is_same = is_same and value == ARGV[data]
    data = data + 1
  else
    is_same = is_same and not value
  end
  plan = plan + 3
end
if not is_same then
  return current
end

local function add_deadlines(key, first, last)
  local now_ms = math.floor(time_us() / 1000)
  for start = first, last, STACK do
    local pairs_ = {}
    for n = start, math.min(start + STACK - 1, last), 2 do
      pairs_[#pairs_ + 1] = string.format('%.0f', now_ms + ARGV[n])
      pairs_[#pairs_ + 1] = ARGV[n + 1]
    end
    call('ZADD', key, unpack(pairs_))
  end
end

while plan < stop do
  local command, key = ARGV[plan], KEYS[tonumber(ARGV[plan + 1])]
  local first, last = data, data + ARGV[plan + 2] - 1
  if command == 'SETPX' then
    call('SET', key, ARGV[first], 'PX', ARGV[last])
  elseif command == 'APPEND' then
    for n = first + 1, last do
      call('XADD', key, 'MAXLEN', '~', ARGV[first], '*', 'e', ARGV[n])
    end
  elseif command == 'DEADLINES' then
    add_deadlines(key, first, last)
  elseif last - first < STACK then
    call(command, key, unpack(ARGV, first, last))
  else
    for start = first, last, STACK do
      call(command, key, unpack(ARGV, start, math.min(start + STACK - 1, last)))
    end
  end
  plan = plan + 3
  data = last + 1
end
return {current[1]}
