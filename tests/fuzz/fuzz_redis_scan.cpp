// SPDX-License-Identifier: MIT
#include "engine/contract/errors.h"
#include "engine/redis/wire/scan.h"
#include "tests/fuzz/redis_replies.h"

#include <cstdlib>

using namespace lockboard;

//! The pages that a server gives of its keys: each begins with the namespace, or the walk ends.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const std::string prefix = "m:";
    static const std::string pattern = "m:*";
    redis::Scan scan(prefix, pattern);
    bool failed = false;
    test::forEachReply(data, size, [&](const redis::Reply& reply) {
        if (failed || scan.isOver())
            return;
        try {
            if (reply.isInteger())
                scan.expect(reply, "server");
            for (const std::string& key : scan.take(reply, "server")) {
                if (!key.starts_with(prefix))
                    std::abort();
            }
            std::string command;
            scan.command().writeTo(command);
        } catch (const LockError&) {
            failed = true;
        }
    });
    return 0;
}
