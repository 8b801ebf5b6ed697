// SPDX-License-Identifier: MIT
#include "engine/redis/wire/scan.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/error.h"

#include <algorithm>

namespace lockboard::redis {

// A page goes over a thousand keys, or over ten times as many places of the table of keys that are
// empty, as most are after many were deleted. So a walk over what is there has about as many pages
// as there are thousands of keys; it is given several times as many.
static constexpr std::uint64_t sparePages = 20'000;
static constexpr std::uint64_t mostPages = 1'000'000;
//! Beyond the keys that there were when it began, and again as many: what comes meanwhile.
static constexpr std::uint64_t spareKeys = 50'000;
//! Of one page: Redis gives about as many as it was asked for.
static constexpr std::size_t mostOfPage = 50'000;
static constexpr std::size_t longestCursor = 20;

void Scan::refuse(const std::string& server, const std::string& what)
{
    throw Unavailable("Redis at " + server + ' ' + what + '.');
}

void Scan::expect(const Reply& databaseSize, const std::string& server)
{
    if (databaseSize.isError())
        return; // this user may not ask for it
    if (!databaseSize.isInteger() || databaseSize.integer() < 0)
        refuse(server,
               "answered DBSIZE with " + databaseSize.description()
                   + ", which is no number of keys");
    const auto size = static_cast<std::uint64_t>(databaseSize.integer());
    m_mostPages = std::min(sparePages + size / pageSize * 4, mostPages);
    m_mostKeys = size < mostPages * pageSize ? 2 * size + spareKeys : m_mostKeys;
}

Command Scan::command() const
{
    static const std::string count = std::to_string(pageSize);
    Command command("SCAN");
    command << m_cursor << "MATCH" << *m_pattern << "COUNT" << count;
    return command;
}

std::vector<std::string> Scan::take(const Reply& reply, const std::string& server)
{
    if (reply.isError())
        std::rethrow_exception(lockErrorOf(server, reply.text()));
    const Reply cursor = reply.at(0);
    const Reply found = reply.at(1);
    const bool isCursor = cursor.isString() && !cursor.text().empty()
        && cursor.text().size() <= longestCursor
        && cursor.text().find_first_not_of("0123456789") == std::string_view::npos;
    if (!reply.isArray() || reply.size() != 2 || !isCursor || !found.isArray())
        refuse(server, "answered SCAN with " + reply.description() + ", which is no page of keys");
    if (found.size() > mostOfPage)
        refuse(server,
               "answered SCAN with a page of " + std::to_string(found.size())
                   + " keys, which is too many at a time");
    std::vector<std::string> keys;
    keys.reserve(found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        const Reply key = found.at(i);
        if (key.isTooLong()) {
            ++m_tooLong;
            continue;
        }
        if (!key.isString() || !key.text().starts_with(*m_prefix))
            refuse(server,
                   "was asked for keys that begin with \"" + printableStart(*m_prefix, 60)
                       + "\" and answered SCAN with " + key.description());
        keys.emplace_back(key.text());
    }
    m_cursor = cursor.text();
    m_over = m_cursor == "0";
    m_keys += keys.size();
    ++m_pages;
    if (m_over)
        return keys;
    // Any circle is run into sooner or later with a mark that is set anew at twice the distance.
    if (m_cursor == m_marked)
        refuse(server, "goes in circles: SCAN comes to the cursor " + m_cursor + " again");
    if (m_pages == m_nextMark) {
        m_marked = m_cursor;
        m_nextMark *= 2;
    }
    if (m_pages >= m_mostPages || m_keys > m_mostKeys)
        refuse(server,
               "does not come to an end of its keys: SCAN has given " + std::to_string(m_keys)
                   + " in " + std::to_string(m_pages) + " pages");
    return keys;
}

} // namespace lockboard::redis
