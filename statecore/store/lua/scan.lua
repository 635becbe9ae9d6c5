-- One page of a sorted set between two scores, behind the last entry of the page
-- before, in O(log n + page) however many members have the same score.
--
-- KEYS  1 sorted set
-- ARGV  1 limit   2 lowest score   3 highest score   4 "1" for newest first
--       5 score and 6 member of the last entry of the page before, or neither
-- Reply {nil, {member, score, …}} in ascending order
-- Test  tests/store/test_lua.py, tests/store/test_conformance.py (TestIndexes)

local key, limit, is_descending = KEYS[1], tonumber(ARGV[1]), ARGV[4] == '1'

local function number_below(score)
  return redis.call('ZCOUNT', key, '-inf', '(' .. score)
end

-- strings of Lua compare by the server's locale, members of a sorted set by bytes
local function is_less(one, other)
  for n = 1, math.min(#one, #other) do
    local a, b = one:byte(n), other:byte(n)
    if a ~= b then
      return a < b
    end
  end
  return #one < #other
end

-- how many entries come before (score, member), which may be gone by now
local function number_before(score, member)
  local first = number_below(score)
  local stop = first + redis.call('ZCOUNT', key, score, score)
  while first < stop do
    local middle = math.floor((first + stop) / 2)
    if is_less(redis.call('ZRANGE', key, middle, middle)[1], member) then
      first = middle + 1
    else
      stop = middle
    end
  end
  return first
end

local function is_there(score, member)
  local own = redis.call('ZSCORE', key, member)
  return own and tonumber(own) == tonumber(score)
end

local first = number_below(ARGV[2])
local stop = redis.call('ZCOUNT', key, '-inf', ARGV[3])
if ARGV[6] then
  local before = is_there(ARGV[5], ARGV[6]) and redis.call('ZRANK', key, ARGV[6])
      or number_before(ARGV[5], ARGV[6])
  if is_descending then
    stop = math.min(stop, before)
  else
    first = math.max(first, before + (is_there(ARGV[5], ARGV[6]) and 1 or 0))
  end
end
if is_descending then
  first = math.max(first, stop - limit)
else
  stop = math.min(stop, first + limit)
end

local page = {}
if first < stop then
  page = redis.call('ZRANGE', key, first, stop - 1, 'WITHSCORES')
end
return {false, page}
