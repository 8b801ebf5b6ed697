-- SPDX-License-Identifier: MIT
-- Makes a token that another slot of the cluster has counted that of this slot's locks as well.
-- KEYS: the counter, the notes of the locks. ARGV: the token.
local token = ARGV[1]

if tonumber(redis.call('GET', KEYS[1]) or 0) < tonumber(token) then
    redis.call('SET', KEYS[1], token)
end
for i = 2, #KEYS do
    local note = redis.pcall('GET', KEYS[i])
    if type(note) == 'string' then
        local text = string.gsub(note, '^{"token":%d+', '{"token":' .. token, 1)
        redis.pcall('SET', KEYS[i], text, 'KEEPTTL')
    end
end
return 'done'
