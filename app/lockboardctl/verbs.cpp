// SPDX-License-Identifier: MIT
#include "app/lockboardctl/verbs.h"

namespace lockboard::ctl {

static constexpr Verb table[] = {
    {"providers", "", "the providers that are configured", "", runProviders, false, false},
    {"list", "", "the locks that are held now",
     "Exits 1 if no lock matches. Of an advisory lock the database knows a hash only; it\n"
     "is shown under its key if a row has that key, or by --name and --names-from.\n",
     runList},
    {"acquire", "KEY...", "take locks: all of the keys, or none",
     "A lock that is held without owner is a conflict too, unless you --claim it.\n"
     "What OWNER holds already is extended, unless --no-extend is given. A conflict, or a\n"
     "wait that is over, exits 75. Without --owner the lock is held as user@host and a part\n"
     "that no other call has: what is printed tells it, and release finds it.\n"
     "What can't be told, because the output can't be written, is not kept: it exits 74.\n"
     "Durations: 500ms, 30s, 5m, 1h, 7d; a bare number is seconds.\n",
     runAcquire, true},
    {"release", "KEY...", "let go of locks, key by key",
     "Touches no lock of another owner. Without --owner it releases what this user took on\n"
     "this host without --owner, and says of others who holds them. Exits 1 if a key was\n"
     "not released, or, with --if-over, if it was not over.\n",
     runRelease, true},
    {"release-all", "", "let go of all locks of a provider, or of one owner",
     "Asks first, on a terminal; elsewhere it needs --yes. Exits 1 if nothing was\n"
     "released. What it releases then is what it has counted: a lock that somebody takes\n"
     "meanwhile is left, and counted.\n",
     runReleaseAll, true},
    {"check", "", "look at the servers and say what is found",
     "All providers, unless one is named. Exits 69 if one can't be reached, 1 if one has\n"
     "a problem.\n",
     runCheck, false, true, true},
    {"postgres", "ACTION [PID]", "what only a PostgreSQL provider can do",
     "install-trigger   make the table tell Lockboards of every change at once\n"
     "remove-trigger    undo that\n"
     "end-session PID   end a session that holds advisory locks, as Medusa's execute does,\n"
     "                  or that waits for one. Asks first, on a terminal; elsewhere it needs\n"
     "                  --yes. Exits 64, and ends nothing, if the session has none, or does\n"
     "                  not do any more what the list shows: its locks, its transaction.\n"
     "\n"
     "For PID a script gives the \"target\" of a session that list --json printed: what is\n"
     "ended then is that transaction with that lock, or nothing. PID@ID names a session\n"
     "by the \"id\" that it has there.\n",
     runPostgres, true},
};

std::span<const Verb> verbs()
{
    return table;
}

const Verb* findVerb(std::string_view name)
{
    for (const Verb& verb : table) {
        if (verb.name == name)
            return &verb;
    }
    return nullptr;
}

} // namespace lockboard::ctl
