// SPDX-License-Identifier: MIT
#include "engine/redis/redis_slots_reply.h"

#include <hiredis/hiredis.h>

using namespace lockboard;

//! What a server answers to `CLUSTER SLOTS`, and where it sends us.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    RedisEndpoint asked;
    asked.host = "asked";
    (void)readAddress({reinterpret_cast<const char*>(data), size}, asked);

    redisReader* const reader = redisReaderCreate();
    redisReaderFeed(reader, reinterpret_cast<const char*>(data), size);
    void* raw = nullptr;
    while (redisReaderGetReply(reader, &raw) == REDIS_OK && raw) {
        const RedisReply reply(static_cast<redisReply*>(std::exchange(raw, nullptr)));
        (void)readSlots(reply, asked);
    }
    redisReaderFree(reader);
    return 0;
}
