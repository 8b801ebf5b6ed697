// SPDX-License-Identifier: MIT
#include "engine/contract/errors.h"
#include "engine/redis/topology/slots_reply.h"
#include "engine/redis/wire/sentinel_reply.h"
#include "engine/redis/wire/shape.h"
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
    redis::Endpoint asked;
    asked.host = "asked";
    const redis::Endpoint there = readAddress(text, asked);
    require(there.port == 0 || redis::shape::isHost(there.host));
    const redis::MasterAddress moved = readSwitch(text, "mymaster");
    require(moved.port == 0 || redis::shape::isHost(moved.host));

    test::forEachReply(data, size, [&asked](const redis::Reply& reply) {
        try {
            for (const redis::SlotRange& range : readSlots(reply, asked))
                require(redis::shape::isHost(range.host) && range.first >= 0
                        && range.first <= range.last && range.last < 16384);
        } catch (const LockError&) {
        }
        const redis::MasterAddress master = readMaster(reply);
        require(master.port == 0 || redis::shape::isHost(master.host));
        for (const std::size_t locks : {std::size_t(1), std::size_t(3)}) {
            (void)redis::shape::isExtend(reply, locks);
            (void)redis::shape::isReleaseSeen(reply, locks);
            (void)redis::shape::isReleasePage(reply, locks);
            if (redis::shape::isAcquire(reply, locks) && reply.at(0).text() != "granted")
                require(reply.at(1).integer() >= 1
                        && reply.at(1).integer() <= static_cast<std::int64_t>(locks));
        }
        (void)reply.description();
    });
    return 0;
}
