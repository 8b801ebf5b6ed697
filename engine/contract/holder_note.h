// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/clock.h"

#include <QSharedDataPointer>

#include <cstdint>
#include <string>
#include <vector>

namespace lockboard {

//! What the program that took a lock says of itself, for people: it proves nothing. Of a database
//! session, what the server says of it; empty is what it does not say. UTF-8. A list of a million
//! locks has one each, so an empty one is a null pointer, and copies share.
class HolderNote final {
public:
    HolderNote();
    HolderNote(const HolderNote&);
    HolderNote(HolderNote&&) noexcept;
    HolderNote& operator=(const HolderNote&);
    HolderNote& operator=(HolderNote&&) noexcept;
    ~HolderNote();
    bool operator==(const HolderNote& other) const;

    class Fields : public QSharedData {
    public:
        std::string host;
        std::int64_t pid = 0;
        std::string program;
        std::string acquiredAt; //!< of the latest grant: ISO 8601, UTC, by the holder's own clock
        std::string requestId; //!< of the call's SharedContext; empty: it had none

        // Of a database session.
        std::string session; //!< the server's own name for it, which no later one has
        std::string user;
        std::string activity; //!< the server's word for what it does: "idle in transaction"
        std::optional<TimePoint> transactionBegan;
        std::optional<TimePoint> queryBegan; //!< the latest
        std::vector<std::int64_t> blockedBy; //!< the processes that it waits for

        bool operator==(const Fields& other) const;
    };

    [[nodiscard]] bool isEmpty() const { return !m_fields; }
    [[nodiscard]] const Fields& fields() const;
    //! To fill it in: `note.edit().host = "web-1"`.
    Fields& edit();

private:
    QSharedDataPointer<Fields> m_fields;
};

} // namespace lockboard
