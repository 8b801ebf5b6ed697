// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

#include <random>
#include <set>

namespace lockboard::test {

//! Where a person may put a password, rightly or wrongly. In the text, `<raw>` stands for the
//! password as it is, `<json>` for the same escaped as in a JSON string, `<encoded>` for it
//! percent-encoded, `<quoted>` for it quoted as libpq's keywords want it.
struct SecretPlace {
    const char* name;
    const char* text; //!< a whole configuration, or a URL for --connect
};

//! Configurations; `${env:LOCKBOARD_TEST_SECRET}` and `${file:secret}` are the password, too.
//! Nothing listens where they lead.
[[nodiscard]] const QList<SecretPlace>& secretConfigs();
//! What may be given to --connect.
[[nodiscard]] const QList<SecretPlace>& secretUrls();
[[nodiscard]] QByteArray filledIn(const SecretPlace& place, const QByteArray& password);

//! Passwords of printable characters, those that mean something in a URL more often than others.
//! One seed gives the same ones everywhere.
class Passwords final {
public:
    explicit Passwords(unsigned seed)
        : m_random(seed)
    {
    }
    [[nodiscard]] QByteArray next();
    //! A few whose only use is to provoke each sentence that is fixed.
    [[nodiscard]] static QByteArrayList plain();

private:
    std::mt19937 m_random;
};

//! Finds four characters or more of a password in a text, those aside that are fixed.
class LeakDetector final {
public:
    //! What is said of Passwords::plain() is fixed.
    void learn(const QByteArray& said);
    [[nodiscard]] bool isEmpty() const { return m_fixed.empty(); }
    //! The first that is found; empty: none.
    [[nodiscard]] QByteArray leakIn(const QByteArray& said, const QByteArray& password) const;

private:
    std::set<QByteArray> m_fixed;
};

} // namespace lockboard::test
