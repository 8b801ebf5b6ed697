// SPDX-License-Identifier: MIT
#include "engine/errors.h"
#include "engine/redis/redis_sentinel_reply.h"
#include "engine/redis/redis_shape.h"
#include "engine/redis/redis_slots_reply.h"
#include "tests/fuzz/redis_replies.h"

#include <cstdlib>

using namespace lockboard;

static void require(bool right)
{
    if (!right)
        std::abort();
}

//! What a server answers to `CLUSTER SLOTS` and to scripts, a sentinel to where its master is, and
//! where a server sends us.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    RedisEndpoint asked;
    asked.host = "asked";
    const RedisEndpoint there = readAddress(text, asked);
    require(there.port == 0 || redis_shape::isHost(there.host));
    const RedisMasterAddress moved = readSwitch(text, "mymaster");
    require(moved.port == 0 || redis_shape::isHost(moved.host));

    test::forEachReply(data, size, [&asked](const RedisReply& reply) {
        try {
            for (const RedisSlotRange& range : readSlots(reply, asked))
                require(redis_shape::isHost(range.host) && range.first >= 0
                        && range.first <= range.last && range.last < 16384);
        } catch (const LockError&) {
        }
        const RedisMasterAddress master = readMaster(reply);
        require(master.port == 0 || redis_shape::isHost(master.host));
        for (const std::size_t locks : {std::size_t(1), std::size_t(3)}) {
            (void)redis_shape::isExtend(reply, locks);
            (void)redis_shape::isReleaseSeen(reply, locks);
            (void)redis_shape::isReleasePage(reply, locks);
            if (redis_shape::isAcquire(reply, locks) && reply.at(0).text() != "granted")
                require(reply.at(1).integer() >= 1
                        && reply.at(1).integer() <= static_cast<std::int64_t>(locks));
        }
        (void)reply.description();
    });
    return 0;
}
