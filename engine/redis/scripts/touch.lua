-- SPDX-License-Identifier: MIT
-- Writes locks once more as they are, so that a WAIT after it waits for them, whoever took them.
-- KEYS: the locks. ARGV: the value that each must have.
-- Gives how many have it.
local count = 0
for _, key in ipairs(KEYS) do
    if redis.call('GET', key) == ARGV[1] then
        redis.call('SET', key, ARGV[1], 'KEEPTTL')
        count = count + 1
    end
end
return count
