// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/redis_server.h"

#include <QHash>
#include <QJsonObject>
#include <QJsonValue>
#include <QSet>

namespace lockboard::test {

//! Medusa's own Redis provider, in a Node program (medusa.mjs) over the given server.
class Medusa final {
public:
    explicit Medusa(const RedisServer& server)
        : m_server(server)
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

private:
    void read();

    const RedisServer& m_server;
    QProcess m_process;
    QString m_problem;
    QHash<int, QJsonObject> m_answers;
    QSet<std::pair<int, QString>> m_events;
    int m_lastId = 0;
};

} // namespace lockboard::test
