-- Entries of a stream after a cursor, or word that some may be gone: the entry
-- of the cursor was trimmed, or the stream was deleted and perhaps begun again.
--
-- KEYS  1 stream
-- ARGV  1 cursor ("" for the start, "$" for the end)   2 limit
-- Reply {nil, "1" for a reset, cursor to go on from, {{id, {"e", bytes}}, …}}
-- Test  tests/store/test_lua.py, tests/store/test_conformance.py (TestTails)

local after, limit = ARGV[1], ARGV[2]

local stream = {['last-generated-id'] = '0-0', length = 0, ['entries-added'] = 0}
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'none' then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for n = 1, #info, 2 do
    stream[info[n]] = info[n + 1]
  end
end
local last = stream['last-generated-id']
if after == '$' then
  return {false, '0', last, {}}
end

-- ids are two numbers, which sort as numbers and not as text
local function is_before(one, other)
  local ms, sequence = one:match('(%d+)-?(%d*)')
  local other_ms, other_sequence = other:match('(%d+)-?(%d*)')
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  if ms ~= other_ms then
    return ms < other_ms
  end
  return (tonumber(sequence) or 0) < (tonumber(other_sequence) or 0)
end

local function has_gap()
  if not is_before('0-0', after) then
    -- a reader of an empty stream has missed something only if entries are gone
    -- (entries-added: since Redis 7; before, ask for a snapshot rather than lose events)
    return (stream['entries-added'] or -1) ~= stream.length
  end
  if not is_before(after, last) then
    return is_before(last, after)
  end
  local oldest = stream['first-entry']
  return not oldest or is_before(after, oldest[1])
end

if after ~= '' and has_gap() then
  return {false, '1', last, {}}
end
if stream.length == 0 then
  return {false, '0', after == '' and '0-0' or after, {}}
end
local entries = redis.call('XRANGE', KEYS[1], '(' .. (after == '' and '0-0' or after), '+', 'COUNT', limit)
local cursor = after == '' and '0-0' or after
if #entries > 0 then
  cursor = entries[#entries][1]
end
return {false, '0', cursor, entries}
