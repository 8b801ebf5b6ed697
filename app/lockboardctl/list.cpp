// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/snapshot.h"
#include "app/lockboardctl/verbs.h"

namespace lockboard::ctl {

Task<int> runList(Session& session, Arguments arguments)
{
    const std::uint64_t count = co_await printLocks(session, LockQuery(arguments), arguments);
    if (count > 0)
        co_return Done;
    const bool narrowed = arguments.owner || arguments.noOwner || !arguments.filter.empty();
    complain(narrowed ? "No lock matches." : "There are no locks.");
    co_return No;
}

} // namespace lockboard::ctl
