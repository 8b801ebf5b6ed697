-- SPDX-License-Identifier: MIT
-- One page of a release of all: a compare-and-delete key by key.
-- KEYS: the page; with notes, those of the page follow. ARGV: 'all', the value that every lock must
-- have and, with notes, how many of KEYS are locks; or 'each' and, key by key, 'v' with the value
-- that was seen, or '' where none was.
-- Gives a letter for each key: r(eleased), g(one), o(ther value now), t(ype is another).
local each = ARGV[1] == 'each'
local count = each and #ARGV - 1 or tonumber(ARGV[3]) or #KEYS
local letters = {}

for i = 1, count do
    local key, note = KEYS[i], KEYS[count + i]
    local value = redis.pcall('GET', key)
    if type(value) == 'table' then
        if not string.find(value.err, 'WRONGTYPE', 1, true) then
            return value
        end
        letters[i] = 't'
    elseif not value then
        letters[i] = 'g'
    elseif each and ARGV[i + 1] == 'v' .. value or not each and ARGV[2] == value then
        redis.call('UNLINK', key)
        if note then
            redis.pcall('UNLINK', note)
        end
        letters[i] = 'r'
    else
        letters[i] = 'o'
    end
end
return table.concat(letters)
