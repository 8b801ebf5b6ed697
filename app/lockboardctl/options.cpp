// SPDX-License-Identifier: MIT
#include "app/lockboardctl/options.h"

#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/exit_code.h"

#include "engine/contract/credentials.h"

#include <charconv>
#include <cstring>

namespace lockboard::ctl {

static Duration durationFrom(const char* option, const char* value)
{
    if (const auto duration = parseDuration(value))
        return *duration;
    throw UsageError(std::string(option) + ": \"" + shownWord(value)
                     + "\" is not a duration; write 500ms, 30s, 5m, 1h, or a number of seconds.");
}

static std::uint64_t limitFrom(const char* value)
{
    std::uint64_t number = 0;
    const char* const end = value + std::strlen(value);
    const auto [rest, error] = std::from_chars(value, end, number);
    if (error != std::errc() || rest != end || number == 0)
        throw UsageError("--limit: \"" + shownWord(value) + "\" is not a whole number above 0.");
    return number;
}

static std::string textFrom(const char* option, const char* value)
{
    if (*value == '\0')
        throw UsageError(std::string(option) + " is empty.");
    return value;
}

//! What narrows a verb down. Empty, as where a variable is not set, it must not mean "all".
static std::string choiceFrom(const char* option, const char* value)
{
    if (*value == '\0') {
        throw UsageError(std::string(option)
                         + " is empty. Is a variable not set that it was to come from?");
    }
    return value;
}

static constexpr Option table[] = {
    {"config", "FILE", "", "read the providers from FILE",
     [](Arguments& a, const char* v) { a.config = textFrom("--config", v); }},
    {"connect", "URL", "", "one server: redis://, rediss://, postgres://, or a socket's path",
     [](Arguments& a, const char* v) { a.connect = textFrom("--connect", v); }},
    {"demo", nullptr, "", "workers of a made-up shop, on locks that end with this program",
     [](Arguments& a, const char*) { a.demo = true; }},
    {"provider", "ID", "", "the provider to speak to; else the default one",
     [](Arguments& a, const char* v) { a.provider = choiceFrom("--provider", v); }},
    {"read-only", nullptr, "", "refuse whatever would change a lock",
     [](Arguments& a, const char*) { a.readOnly = true; }},
    {"json", nullptr, "", "one JSON object a line",
     [](Arguments& a, const char*) { a.json = true; }},
    {"audit-log", "FILE", "", "where to record what was changed",
     [](Arguments& a, const char* v) { a.auditLog = textFrom("--audit-log", v); }},
    {"no-audit", nullptr, "", "keep no record of what was changed",
     [](Arguments& a, const char*) { a.noAudit = true; }},
    {"help", nullptr, "", "this text; after a verb, the verb's",
     [](Arguments& a, const char*) { a.help = true; }},
    {"version", nullptr, "", "the version", [](Arguments& a, const char*) { a.version = true; }},

    {"owner", "OWNER", "list", "only this owner's locks",
     [](Arguments& a, const char* v) { a.owner = choiceFrom("--owner", v); }},
    {"no-owner", nullptr, "list", "only locks without owner",
     [](Arguments& a, const char*) { a.noOwner = true; }},
    {"filter", "TEXT", "list", "only locks with TEXT in key or owner, in any case",
     [](Arguments& a, const char* v) { a.filter = choiceFrom("--filter", v); }},
    {"name", "KEY", "list postgres", "name an advisory lock KEY if that has its hash; repeatable",
     [](Arguments& a, const char* v) { a.names.push_back(textFrom("--name", v)); }, true},
    {"names-from", "FILE", "list postgres", "the same for each line of FILE; -: standard input",
     [](Arguments& a, const char* v) { a.namesFrom = textFrom("--names-from", v); }},
    {"limit", "N", "list", "stop after N locks",
     [](Arguments& a, const char* v) { a.limit = limitFrom(v); }},

    {"owner", "OWNER", "acquire", "hold as OWNER; else as one that no other call has",
     [](Arguments& a, const char* v) { a.owner = choiceFrom("--owner", v); }},
    {"no-owner", nullptr, "acquire", "hold without owner",
     [](Arguments& a, const char*) { a.noOwner = true; }},
    {"expire", "DURATION", "acquire", "how long the lease lasts; else a new lock never expires",
     [](Arguments& a, const char* v) { a.expire = durationFrom("--expire", v); }},
    {"wait", "DURATION", "acquire", "how long to wait for a key that is held",
     [](Arguments& a, const char* v) { a.wait = durationFrom("--wait", v); }},
    {"claim", nullptr, "acquire", "take over a lock without owner, if the provider allows it",
     [](Arguments& a, const char*) { a.claim = true; }},
    {"no-extend", nullptr, "acquire", "what OWNER holds already is a conflict too",
     [](Arguments& a, const char*) { a.noExtend = true; }},

    {"owner", "OWNER", "release", "release what OWNER holds; else what you took without --owner",
     [](Arguments& a, const char* v) { a.owner = choiceFrom("--owner", v); }},
    {"no-owner", nullptr, "release", "release what is held without owner",
     [](Arguments& a, const char*) { a.noOwner = true; }},
    {"if-over", nullptr, "release", "only remove what is left of locks that are over",
     [](Arguments& a, const char*) { a.ifOver = true; }},
    {"base64", nullptr, "acquire release", "the keys are given in base64",
     [](Arguments& a, const char*) { a.base64 = true; }},

    {"owner", "OWNER", "release-all", "only this owner's locks",
     [](Arguments& a, const char* v) { a.owner = choiceFrom("--owner", v); }},
    {"dry-run", nullptr, "release-all", "list what would be released; release nothing",
     [](Arguments& a, const char*) { a.dryRun = true; }},
    {"cancel", nullptr, "postgres", "end-session: cancel only what it is doing or waiting for",
     [](Arguments& a, const char*) { a.cancel = true; }},
    {"job-may-run-on", nullptr, "postgres",
     "end-session: known, that a job of Medusa's does not stop with its lock",
     [](Arguments& a, const char*) { a.jobMayRunOn = true; }},
    {"yes", nullptr, "release-all postgres", "don't ask",
     [](Arguments& a, const char*) { a.yes = true; }},
};

bool Option::belongsTo(std::string_view verb) const
{
    if (isGlobal())
        return true;
    std::string_view rest = verbs;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(' '), rest.size());
        if (rest.substr(0, end) == verb)
            return true;
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

std::span<const Option> options()
{
    return table;
}

} // namespace lockboard::ctl
