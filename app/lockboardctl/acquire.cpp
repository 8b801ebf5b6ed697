// SPDX-License-Identifier: MIT
#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/verbs.h"

namespace lockboard::ctl {

static void print(const std::string& provider, const Lock& lock, bool extended, bool json,
                  TimePoint now)
{
    if (json) {
        writeLine(lockObject(provider, Listed(lock), now));
        return;
    }
    const std::string ends = lock.leaseEnd
        ? "expires in " + formatDuration(std::chrono::ceil<Duration>(*lock.leaseEnd - now))
        : "never expires";
    writeLine((extended ? "Extended \"" : "Acquired \"") + printable(lock.key) + "\" "
              + (lock.owner ? "for \"" + printable(*lock.owner) + '"' : "without owner") + ": "
              + ends + '.');
}

Task<int> runAcquire(Session& session, Arguments arguments)
{
    AcquireOptions options;
    options.ownedBy(arguments.actor())
        .expiringIn(arguments.expire)
        .exclusively(!arguments.claim)
        .stoppedBy(session.stop())
        .at(session.provider().id);
    if (arguments.wait)
        options.waiting(arguments.wait);
    const LockKeys keys(arguments.keys);
    const Owner owner = options.owner();
    const Grant grant = co_await session.module().acquire(keys, std::move(options));
    for (const std::string& key : keys) {
        Lock lock(key, owner, grant.leaseEnd());
        lock.token = grant.token();
        print(session.provider().id, lock, grant.isExtension() && keys.size() == 1, arguments.json,
              session.now());
    }
    if (!session.provider().features.shared)
        complain("Note: the locks of \"" + printable(session.provider().id)
                 + "\" end with this command.");
    co_return Done;
}

} // namespace lockboard::ctl
