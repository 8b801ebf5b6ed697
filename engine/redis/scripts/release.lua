-- SPDX-License-Identifier: MIT
-- Releases each key that the caller may release. If one is no lock at all, nothing is touched.
-- KEYS: the locks. ARGV: owner ('*': none), whether an owner may release a lock without owner ('1');
-- with notes, how many of KEYS are locks: their notes follow.
-- Gives 'done' and for every key 1 (the owner's, released), 2 (a lock without owner, released),
-- 0 (not held) or who holds it; or {'type', index, type}. Of one key only, released: 1 or 2 alone.
local owner, claims = ARGV[1], ARGV[2] == '1'
local count = tonumber(ARGV[3]) or #KEYS

local function remove(i)
    redis.call('DEL', KEYS[i])
    if KEYS[count + i] then
        redis.pcall('DEL', KEYS[count + i])
    end
end

-- The most frequent case of all, at half the cost.
if count == 1 and redis.pcall('GET', KEYS[1]) == owner then
    remove(1)
    return owner == '*' and 2 or 1
end

local values = {}

for i = 1, count do
    local key = KEYS[i]
    local value = redis.pcall('GET', key)
    if type(value) == 'table' then
        if string.find(value.err, 'WRONGTYPE', 1, true) then
            return {'type', i, redis.call('TYPE', key).ok}
        end
        return value
    end
    values[i] = value
end

local result = {'done'}
for i = 1, count do
    local value = values[i]
    if not value then
        result[i + 1] = 0
    elseif value == owner or (value == '*' and claims) then
        remove(i)
        result[i + 1] = value == '*' and 2 or 1
    else
        result[i + 1] = value
    end
end
return result
