-- Apply all writes of a commit if every expected cell still holds exactly the
-- expected bytes; otherwise write nothing and answer what the cells hold now.
-- Types are checked before the first write: a script that fails in the middle
-- is not rolled back.
--
-- KEYS  every key that is expected something of, or written to
-- ARGV  1. "1" to be told the server's time, which costs as much as three writes
--       2. number of type checks, then for each:    key index, command that
--          counts what a key of that type holds (ZCARD, XLEN, …)
--       3. number of expectations, then for each:   key index, command (GET | HGET),
--          [field of HGET,] "1" and the bytes, or "0" for absent
--       4. until the end, for each write:           command, key index, number of
--          arguments n, n arguments. Two commands are our own:
--            DEADLINES  pairs of delay in ms and member, scored now + delay
--            APPEND     the stream's bound, then entries
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

local at = 3
for _ = 1, tonumber(ARGV[2]) do
  -- fails for a key of another type; half the price of TYPE
  call(ARGV[at + 1], KEYS[tonumber(ARGV[at])])
  at = at + 2
end

local current, is_same = {ARGV[1] == '1' and time_us()}, true
local expected = tonumber(ARGV[at])
at = at + 1
for n = 2, expected + 1 do
  local key, value = KEYS[tonumber(ARGV[at])], nil
  if ARGV[at + 1] == 'GET' then
    value = call('GET', key)
    at = at + 2
  else
    value = call('HGET', key, ARGV[at + 2])
    at = at + 3
  end
  current[n] = value
  if ARGV[at] == '1' then
    is_same = is_same and value == ARGV[at + 1]
    at = at + 2
  else
    is_same = is_same and not value
    at = at + 1
  end
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

local stop = #ARGV
while at <= stop do
  local command, key = ARGV[at], KEYS[tonumber(ARGV[at + 1])]
  local first = at + 3
  local last = at + 2 + ARGV[at + 2]
  if command == 'APPEND' then
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
  at = last + 1
end
return {current[1]}
