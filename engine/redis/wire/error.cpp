// SPDX-License-Identifier: MIT
#include "engine/redis/wire/error.h"

#include "engine/contract/errors.h"

namespace lockboard::redis {

namespace {

struct Known {
    std::string_view word; // the first of the error
    const char* sentence; // what Redis at ... does
};

constexpr Known denials[] = {
    {"NOAUTH", "asks for a password."},
    {"WRONGPASS", "does not accept this user name and password."},
    {"NOPERM", "does not permit this user to do that."},
    {"DENIED", "runs in protected mode and takes no connections from elsewhere."},
};

constexpr Known troubles[] = {
    {"READONLY", "is a read-only replica."},
    {"LOADING", "is still loading its data."},
    {"MASTERDOWN", "is a replica that has lost its master."},
    {"CLUSTERDOWN", "belongs to a cluster that is down."},
    {"MOVED", "belongs to a cluster; this key is on another of its nodes."},
    {"TRYAGAIN", "belongs to a cluster; these keys are on their way to another of its nodes."},
    {"ASK", "belongs to a cluster; this key is on its way to another of its nodes."},
    {"CROSSSLOT", "belongs to a cluster; these keys are on different nodes."},
    {"OOM", "is out of memory and takes no more writes."},
    {"BUSY", "is busy with somebody's script."},
    {"MISCONF", "takes no writes, because it cannot save to its disk."},
    {"NOREPLICAS", "takes no writes, because it has too few replicas."},
};

bool startsWithWord(std::string_view text, std::string_view word)
{
    return text.starts_with(word) && (text.size() == word.size() || text[word.size()] == ' ');
}

} // namespace

std::exception_ptr lockErrorOf(const std::string& server, std::string_view error)
{
    const std::string who = "Redis at " + server + ' ';
    const std::string said = " (" + printableStart(error) + ')';
    for (const Known& known : denials) {
        if (startsWithWord(error, known.word)) {
            // What NOPERM says, which command it is, is worth knowing; it repeats no argument.
            const bool detailed = known.word == "NOPERM";
            return std::make_exception_ptr(
                Denied(who + known.sentence + (detailed ? said : std::string())));
        }
    }
    // So it says if a script is permitted and what it does is not.
    if (error.find("ACL failure in script") != std::string_view::npos
        || error.find("can't run this command") != std::string_view::npos)
        return std::make_exception_ptr(Denied(who + denials[2].sentence + said));
    for (const Known& known : troubles) {
        if (startsWithWord(error, known.word))
            return std::make_exception_ptr(Unavailable(who + known.sentence));
    }
    return std::make_exception_ptr(Unavailable(who + "refused: " + printableStart(error)));
}

} // namespace lockboard::redis
