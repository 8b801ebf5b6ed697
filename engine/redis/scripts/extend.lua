-- SPDX-License-Identifier: MIT
-- Extends the leases of all keys if the owner holds every one of them still.
-- KEYS: the locks. ARGV: owner, lease in ms ('': look, extend nothing); with notes, how many of KEYS
-- are locks: their notes follow.
-- Gives {index of the first key that is not the owner's (0: none), least ms left (-1: for ever)}.
local owner, lease = ARGV[1], ARGV[2]
local count = tonumber(ARGV[3]) or #KEYS

for i = 1, count do
    local key = KEYS[i]
    local value = redis.pcall('GET', key)
    if type(value) == 'table' and not string.find(value.err, 'WRONGTYPE', 1, true) then
        return value
    end
    if value ~= owner then
        return {i, -1}
    end
end

local least = -1
for i = 1, count do
    local key, note = KEYS[i], KEYS[count + i]
    if lease ~= '' then
        redis.call('PEXPIRE', key, lease)
        if note then
            redis.pcall('PEXPIRE', note, lease)
        end
    else
        local left = redis.call('PTTL', key)
        if left >= 0 and (least < 0 or left < least) then
            least = left
        end
    end
end
return {0, least}
