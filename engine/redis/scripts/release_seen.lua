-- SPDX-License-Identifier: MIT
-- Releases of each key the very grant that was seen. If one is no lock at all, nothing is touched.
-- KEYS: the locks; with notes, those of the locks follow. ARGV: how many of KEYS are locks, how many
-- ms two readings of one lease may differ, then for each lock: the value that it must have ('*': no
-- owner), how it is judged: 'seen', 'owner' or 'claim' (as 'owner', or it has none), the token that
-- was seen ('': not known) and the ms left of the lease that was seen (-1: for ever).
-- Gives 'done' and for every key 1 (an owner's, released), 2 (a lock without owner, released), 0 (not
-- held), 3 (the value that it must have, and yet another grant) or who holds it; or {'type', index,
-- type}.
local count, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local values = {}

for i = 1, count do
    local value = redis.pcall('GET', KEYS[i])
    if type(value) == 'table' then
        if string.find(value.err, 'WRONGTYPE', 1, true) then
            return {'type', i, redis.call('TYPE', KEYS[i]).ok}
        end
        return value
    end
    values[i] = value
end

-- As RedisNote::read(): a note counts while it names the owner that the lock has.
local function tokenOf(i, value)
    local text = KEYS[count + i] and redis.pcall('GET', KEYS[count + i])
    local read, note = pcall(cjson.decode, type(text) == 'string' and text or '')
    if read and type(note) == 'table' and note.owner == value and type(note.token) == 'number' then
        return string.format('%.0f', note.token)
    end
    return ''
end

local function isStill(i, value, token, left)
    local current = token ~= '' and tokenOf(i, value) or ''
    if current ~= '' then
        return current == token
    end
    if value ~= '*' then
        return true
    end
    local now = redis.call('PTTL', KEYS[i])
    if left == '-1' or now < 0 then
        return left == '-1' and now < 0
    end
    return math.abs(now - tonumber(left)) <= tolerance
end

local result = {'done'}
for i = 1, count do
    local value, at = values[i], 4 * i - 1
    local expected, how = ARGV[at], ARGV[at + 1]
    if not value then
        result[i + 1] = 0
    elseif value ~= expected and not (how == 'claim' and value == '*') then
        result[i + 1] = value
    elseif how == 'seen' and not isStill(i, value, ARGV[at + 2], ARGV[at + 3]) then
        result[i + 1] = 3
    else
        redis.call('DEL', KEYS[i])
        if KEYS[count + i] then
            redis.pcall('DEL', KEYS[count + i])
        end
        result[i + 1] = value == '*' and 2 or 1
    end
end
return result
