// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/provider_fixture.h"

namespace lockboard::test {

//! Where Medusa and Lockboard meet: what lies there, whoever wrote it, and what jobs write down.
class Store {
public:
    Store() = default;
    virtual ~Store() = default;
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    [[nodiscard]] virtual QString kind() const = 0; //!< "redis": Lockboard's name for it
    [[nodiscard]] virtual QString url() const = 0;
    [[nodiscard]] virtual std::unique_ptr<OneProvider> lockboard(const QString& resolve) const = 0;
    virtual void empty() = 0;

    //! Null: it has none.
    [[nodiscard]] virtual QString owner(const QString& key) = 0;
    [[nodiscard]] virtual double lease(const QString& key) = 0; //!< in seconds, by its own clock
    //! Of all locks, be their leases over or not.
    [[nodiscard]] virtual QStringList keys() = 0;
    //! How many there are besides.
    [[nodiscard]] virtual int advisoryLocks() { return 0; }

    //! Medusa's execute notices only once it has the lock that it waits for no longer.
    [[nodiscard]] virtual bool medusaTimesOutLate() const { return false; }

    [[nodiscard]] virtual QStringList trail() = 0; //!< which job came in and went out when
    virtual void leaveTrail(const QString& what) = 0;
    [[nodiscard]] virtual int count() = 0;
    //! The same as increment() of medusa.mjs.
    [[nodiscard]] virtual Task<> increment() = 0;
    //! For how many milliseconds, at the most, who counts for Medusa rests in between.
    [[nodiscard]] virtual int pause() const = 0;
};

} // namespace lockboard::test
