-- SPDX-License-Identifier: MIT
-- Makes locks what they were before acquire, each only if the owner has it still.
-- KEYS: the locks; with notes, those follow. ARGV: owner, how many of KEYS are locks, then for each
-- the value it had ('': it was free), what is left of the lease it had, in ms (-1: for ever, 0:
-- over), and the note it had ('': none).
local owner, count = ARGV[1], tonumber(ARGV[2])
local aWeek = 604800000

for i = 1, count do
    local key, note = KEYS[i], KEYS[count + i]
    local value, left, text = ARGV[3 * i], ARGV[3 * i + 1], ARGV[3 * i + 2]
    if redis.pcall('GET', key) == owner then
        local free = value == '' or left == '0'
        if free then
            redis.call('DEL', key)
        elseif left == '-1' then
            redis.call('SET', key, value)
        else
            redis.call('SET', key, value, 'PX', left)
        end
        if note and (free or text == '') then
            redis.pcall('DEL', note)
        elseif note then
            redis.pcall('SET', note, text, 'PX', left == '-1' and aWeek or left)
        end
    end
end
return 'done'
