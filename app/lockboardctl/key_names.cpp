// SPDX-License-Identifier: MIT
#include "app/lockboardctl/key_names.h"

#include "app/lockboardctl/exit_code.h"

#include "engine/contract/credentials.h"
#include "engine/contract/medusa_hash.h"

#include <QSocketNotifier>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace lockboard::ctl {

static constexpr std::size_t longestKey = 64 * 1024;
//! Keys of one hash that are remembered; two of a million have the same one hardly ever.
static constexpr std::size_t mostOfOne = 8;

namespace {

//! Takes keys, one a line, as they come.
class Lines final {
public:
    Lines(const std::set<std::uint32_t>& hashes, KeyNames::Found& found)
        : m_hashes(hashes)
        , m_found(found)
    {
    }

    void take(std::string_view bytes)
    {
        while (!bytes.empty()) {
            const std::size_t end = bytes.find('\n');
            const std::string_view part = bytes.substr(0, end);
            m_tooLong = m_tooLong || m_line.size() + part.size() > longestKey;
            if (!m_tooLong)
                m_line += part;
            if (end == bytes.npos)
                return;
            endLine();
            bytes.remove_prefix(end + 1);
        }
    }
    void endLine()
    {
        if (!m_tooLong && !m_line.empty())
            takeKey(m_line);
        m_line.clear();
        m_tooLong = false;
    }
    void takeKey(const std::string& key)
    {
        const std::uint32_t hash = medusaHash(key);
        if (!m_hashes.contains(hash))
            return;
        std::vector<std::string>& names = m_found[hash];
        if (names.size() < mostOfOne && std::find(names.begin(), names.end(), key) == names.end())
            names.push_back(key);
    }

private:
    const std::set<std::uint32_t>& m_hashes;
    KeyNames::Found& m_found;
    std::string m_line;
    bool m_tooLong = false;
};

} // namespace

static UsageError unreadable(const std::string& path)
{
    return UsageError("--names-from: " + shownWord(path) + " can't be read: " + std::strerror(errno)
                      + '.');
}

//! /dev/zero, say; but not /dev/null, which is empty.
static bool isEndless(const struct stat& status, int file)
{
    const bool isNull = status.st_rdev == makedev(1, 3);
    const bool isDevice = S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode);
    return isDevice && !isNull && isatty(file) == 0;
}

KeyNames::KeyNames(const Arguments& arguments)
    : m_names(arguments.names)
    , m_path(arguments.namesFrom.value_or(""))
{
    if (m_path.empty())
        return;
    // Whoever opens a FIFO stands still until somebody writes, unless told not to.
    m_file = m_path == "-" ? STDIN_FILENO
                           : open(m_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (m_file < 0)
        throw unreadable(m_path);
    struct stat status = {};
    if (fstat(m_file, &status) == 0 && isEndless(status, m_file)) {
        close(m_file);
        throw UsageError("--names-from: " + shownWord(m_path)
                         + " is a device, and not a file, a pipe or a terminal.");
    }
}

KeyNames::~KeyNames()
{
    if (m_file > STDIN_FILENO)
        close(m_file);
}

Task<KeyNames::Found> KeyNames::find(Session& session, std::set<std::uint32_t> hashes)
{
    Found found;
    Lines lines(hashes, found);
    for (const std::string& name : m_names)
        lines.takeKey(name);
    if (m_file < 0 || hashes.empty())
        co_return found;
    // Who pipes into us may take his time: the connection lives on, and Ctrl-C ends it.
    Signal readable(session.resumer());
    QSocketNotifier notifier(m_file, QSocketNotifier::Read);
    QObject::connect(&notifier, &QSocketNotifier::activated, &notifier, [&] {
        notifier.setEnabled(false);
        readable.raise();
    });
    std::vector<char> buffer(longestKey);
    for (;;) {
        const WakeReason reason = co_await readable.wait(std::nullopt, session.stop());
        if (reason == WakeReason::Cancelled)
            throw Cancelled();
        readable.reset();
        const ssize_t length = read(m_file, buffer.data(), buffer.size());
        if (length < 0 && errno != EAGAIN)
            throw unreadable(m_path);
        if (length == 0)
            break;
        if (length > 0)
            lines.take(std::string_view(buffer.data(), static_cast<std::size_t>(length)));
        notifier.setEnabled(true);
    }
    lines.endLine();
    co_return found;
}

} // namespace lockboard::ctl
