// SPDX-License-Identifier: MIT
// Must not compile with gcc before 13: it would free `owned` twice, silently.
#include "engine/module/locking_module.h"

lockboard::Task<std::size_t> countLetters(lockboard::LockingModule& locks, std::string owned)
{
    co_return co_await locks.execute("k", [owned] { return owned.size(); });
}
