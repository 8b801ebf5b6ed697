-- SPDX-License-Identifier: MIT
-- Takes all keys or none.
-- KEYS: what to take. ARGV: owner ('*': none), lease in ms ('': none), whether a lock without owner
-- may be claimed ('1'), whether the owner re-enters its own locks ('1').
-- Gives {'granted', was any held before (0 or 1), least ms left of a lease that was kept (-1: none)},
-- {'held', index, holder, ms left (-1: for ever)} or {'type', index, type}.
local owner, lease = ARGV[1], ARGV[2]
local claims, reenters = ARGV[3] == '1', ARGV[4] == '1'
local before = {}
local extension = 0

for i, key in ipairs(KEYS) do
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
        extension = 1
    end
end

local kept = -1
for i, key in ipairs(KEYS) do
    if lease ~= '' then
        redis.call('SET', key, owner, 'PX', lease)
    else
        -- A lock that is held already keeps the lease it has.
        local left = before[i] and redis.call('PTTL', key) or -1
        if left > 0 then
            kept = (kept < 0 or left < kept) and left or kept
            if before[i] ~= owner then
                redis.call('SET', key, owner, 'PX', left)
            end
        elseif before[i] ~= owner then
            redis.call('SET', key, owner)
        end
    end
end
return {'granted', extension, kept}
