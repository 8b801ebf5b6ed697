// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace lockboard {

//! A file of lines that several programs append to at once: a line is there whole or not at all.
//! It is made if it isn't there, for its owner only; one that is there keeps its mode. Nothing but
//! a regular file is touched, and no symbolic link is followed. Past its limit it is renamed to
//! `NAME.1`, what was there before to `NAME.2`, and so on; the oldest goes.
class AuditFile final {
public:
    static constexpr std::int64_t usualLimit = 16 * 1024 * 1024;
    static constexpr int keptFiles = 4; // beside the one that is written

    //! \throws ConfigError if it can't be written or is no regular file
    explicit AuditFile(std::string path, std::int64_t limit = usualLimit);
    ~AuditFile();
    AuditFile(const AuditFile&) = delete;
    AuditFile& operator=(const AuditFile&) = delete;

    //! Appends a line, which has no end yet. None: it is written; else what is wrong, in words.
    //! May be called from any thread. Waits a second at the most for others that write.
    [[nodiscard]] std::optional<std::string> append(std::string_view line);
    [[nodiscard]] const std::string& path() const { return m_path; }

private:
    class Lock;

    [[nodiscard]] std::optional<std::string> open();
    [[nodiscard]] bool isCurrent() const;
    [[nodiscard]] std::optional<std::string> write(std::string_view line, bool mayUndo);
    [[nodiscard]] bool rotate();
    [[nodiscard]] bool replaceBy(const std::string& fresh, int file);
    void close();

    const std::string m_path;
    const std::int64_t m_limit;
    std::mutex m_mutex;
    int m_file = -1;
    bool m_readable = false; // its last byte can be looked at
};

} // namespace lockboard
