-- SPDX-License-Identifier: MIT
-- Releases each key that the caller may release. If one is no lock at all, nothing is touched.
-- KEYS: the locks. ARGV: owner ('*': none), whether an owner may release a lock without owner ('1').
-- Gives 'done' and for every key 1 (the owner's, released), 2 (a lock without owner, released),
-- 0 (not held) or who holds it; or {'type', index, type}. Of one key only, released: 1 or 2 alone.
local owner, claims = ARGV[1], ARGV[2] == '1'

-- The most frequent case of all, at half the cost.
if #KEYS == 1 and redis.pcall('GET', KEYS[1]) == owner then
    redis.call('DEL', KEYS[1])
    return owner == '*' and 2 or 1
end

local values = {}

for i, key in ipairs(KEYS) do
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
for i, key in ipairs(KEYS) do
    local value = values[i]
    if not value then
        result[i + 1] = 0
    elseif value == owner or (value == '*' and claims) then
        redis.call('DEL', key)
        result[i + 1] = value == '*' and 2 or 1
    else
        result[i + 1] = value
    end
end
return result
