// SPDX-License-Identifier: MIT
#pragma once

#include <QHash>
#include <QJsonArray>
#include <QJsonObject>
#include <QJsonValue>
#include <QProcess>
#include <QSet>

namespace lockboard::test {

//! Medusa's own provider, in a Node program (medusa.mjs) over the server of the given URL.
class Medusa final {
public:
    //! `connections`: how many PostgreSQL's provider may have; 0: as many as is usual.
    explicit Medusa(const QString& url, int connections = 0)
        : m_arguments{url, QString::number(connections)}
    {
    }
    ~Medusa();

    //! False if it can't be had; problem() says why.
    bool start();
    [[nodiscard]] QString problem() const { return m_problem; }

    //! Starts a call, `acquire` say, with the members of `call`; gives its number.
    int begin(const QString& name, QJsonObject call);
    [[nodiscard]] bool isDone(int id);
    [[nodiscard]] bool hasSaid(int id, const QString& event);
    //! Waits for a call. Gives its result or throws std::runtime_error with Medusa's message.
    QJsonValue finish(int id);
    QJsonValue run(const QString& name, const QJsonObject& call)
    {
        return finish(begin(name, call));
    }
    //! Waits for a call too. Gives Medusa's message; empty if the call succeeded.
    QString refusal(int id);

private:
    void read();

    QStringList m_arguments;
    QProcess m_process;
    QString m_problem;
    QHash<int, QJsonObject> m_answers;
    QSet<std::pair<int, QString>> m_events;
    int m_lastId = 0;
};

//! The members of a call to Medusa. Without an owner or a lease the option is left away.
[[nodiscard]] QJsonObject call(const QJsonArray& keys, const QString& owner = {},
                               int leaseSeconds = 0);

} // namespace lockboard::test
