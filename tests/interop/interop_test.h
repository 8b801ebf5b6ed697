// SPDX-License-Identifier: MIT
#pragma once

#include "tests/interop/medusa.h"
#include "tests/interop/store.h"
#include "tests/support/watcher.h"

namespace lockboard::test {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

//! Medusa and Lockboard at one store. Each case runs twice: Lockboard under its own name and under
//! that of Medusa's package, where a lock without owner is nobody's to claim.
class InteropTest : public QObject {
    Q_OBJECT

public:
    explicit InteropTest(std::unique_ptr<Store> store);

protected Q_SLOTS:
    void initTestCase_data();
    void initTestCase();
    void init();
    void cleanup();

protected:
    [[nodiscard]] Store& store() const { return *m_store; }
    [[nodiscard]] QString owner(const QString& key) const { return m_store->owner(key); }
    [[nodiscard]] double lease(const QString& key) const { return m_store->lease(key); }
    [[nodiscard]] QStringList keys() const { return m_store->keys(); }
    [[nodiscard]] const OneProvider& lockboard() const { return *m_lockboard; }
    [[nodiscard]] LockingModule& ours() const { return *m_lockboard->operator->(); }
    [[nodiscard]] static bool isUnderMedusasName();

    //! Medusa's message; empty if the call succeeded.
    [[nodiscard]] QString refusal(const QString& name, const QJsonObject& call)
    {
        return m_medusa.refusal(m_medusa.begin(name, call));
    }
    //! That of an acquire.
    [[nodiscard]] static QString refusalOf(const QString& key)
    {
        return u"Failed to acquire lock for key \"%1\""_s.arg(key);
    }

private:
    const std::unique_ptr<Store> m_store;
    std::unique_ptr<OneProvider> m_lockboard;

protected:
    Medusa m_medusa;
};

//! What a live view shows.
[[nodiscard]] bool shows(const Watcher& watcher, const std::string& key, const Owner& owner);
[[nodiscard]] std::chrono::duration<double> leaseShown(const Watcher& watcher,
                                                       const std::string& key);

} // namespace lockboard::test
