-- SPDX-License-Identifier: MIT
-- Takes all keys or none.
-- KEYS: what to take. ARGV: owner ('*': none), lease in ms ('': none), whether a lock without owner
-- may be claimed ('1'), whether the owner re-enters its own locks ('1'), whether to tell what undo
-- needs ('1').
-- With notes, ARGV goes on: how many of KEYS are locks, the note (JSON). KEYS then has a note's key
-- for each lock after the locks and, if a fencing token is wanted, the counter's at the end.
-- Gives {'granted', the token if one was wanted, for every key whether it was held before (0 or 1)
-- and the ms left of a lease that was kept (-1: none), what undo needs: for every key its value
-- before ('': free), the ms left of its lease (-1: for ever) and its note ('': none)}, {'held',
-- index, holder, ms left (-1: for ever)} or {'type', index, type}.
local owner, lease = ARGV[1], ARGV[2]
local claims, reenters, tells = ARGV[3] == '1', ARGV[4] == '1', ARGV[5] == '1'
local count = tonumber(ARGV[6]) or #KEYS
local note, counter = ARGV[7], KEYS[2 * count + 1]
local before = {}
local told = {}
local grants = {}

for i = 1, count do
    local key = KEYS[i]
    local value = redis.pcall('GET', key)
    if type(value) == 'table' then
        if string.find(value.err, 'WRONGTYPE', 1, true) then
            return {'type', i, redis.call('TYPE', key).ok}
        end
        return value
    end
    if value then
        local ownerless = value == '*'
        local admitted = (ownerless and claims) or (not ownerless and value == owner and reenters)
        if not admitted then
            return {'held', i, value, redis.call('PTTL', key)}
        end
        before[i] = value
    end
    grants[2 * i - 1] = value and 1 or 0
    grants[2 * i] = -1
    if tells then
        local old = note and redis.pcall('GET', KEYS[count + i])
        told[i] = {value or '', value and redis.call('PTTL', key) or -1,
                   type(old) == 'string' and old or ''}
    end
end

local token
if counter then
    -- One more than the last, or the server's clock in microseconds if that is later: so tokens
    -- grow on past a counter that was lost or set back, by FLUSHALL, an old snapshot, a failover.
    local last = tonumber(redis.call('GET', counter) or 0)
    if not last or last < 0 or last > 9007199254740000 then -- doubles count no further than 2^53
        return redis.error_reply('ERR the counter of fencing tokens, ' .. counter .. ', is no good')
    end
    local time = redis.call('TIME')
    token = math.max(last + 1, time[1] * 1000000 + time[2])
    local text = string.format('%.0f', token)
    redis.call('SET', counter, text)
    note = '{"token":' .. text .. ',' .. string.sub(note, 2)
end

local aWeek = 604800000
for i = 1, count do
    local key = KEYS[i]
    local noteLease = lease
    if lease ~= '' then
        redis.call('SET', key, owner, 'PX', lease)
    else
        -- A lock that is held already keeps the lease it has. A new note makes a write of it all the
        -- same, so that those who watch the lock hear of it.
        local writes = before[i] ~= owner or note
        local left = before[i] and redis.call('PTTL', key) or -1
        if left >= 0 then
            left = math.max(left, 1) -- in its last millisecond
            grants[2 * i] = left
            if writes then
                redis.call('SET', key, owner, 'PX', left)
            end
        elseif writes then
            redis.call('SET', key, owner)
        end
        noteLease = left >= 0 and left or aWeek
    end
    if note then
        redis.pcall('SET', KEYS[count + i], note, 'PX', noteLease) -- no note is no harm
    end
end
return {'granted', token or false, grants, told}
