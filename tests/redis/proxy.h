// SPDX-License-Identifier: MIT
#pragma once

#include <QPointer>
#include <QTcpServer>
#include <QTcpSocket>

#include <functional>

namespace lockboard::test {

//! Stands between a client and a server on the same machine and looks at what passes.
class Proxy final : public QObject {
public:
    explicit Proxy(quint16 serverPort)
    {
        m_listener.listen(QHostAddress::LocalHost);
        connect(&m_listener, &QTcpServer::newConnection, this, [this, serverPort] {
            auto* client = m_listener.nextPendingConnection();
            auto* server = new QTcpSocket(client);
            m_clients.append(client);
            server->connectToHost(QHostAddress(QHostAddress::LocalHost), serverPort);
            connect(client, &QTcpSocket::readyRead, this, [this, client, server] {
                const QByteArray bytes = client->readAll();
                if (onRequest)
                    onRequest(bytes);
                if (bytes.contains("SUBSCRIBE"))
                    client->setProperty("subscribed", true);
                server->write(bytes);
            });
            connect(server, &QTcpSocket::readyRead, this, [this, client, server] {
                const QByteArray bytes = server->readAll();
                if (swallowsPushes && client->property("subscribed").toBool()) {
                    client->setProperty("dead", true);
                    ++swallowed;
                }
                if (!swallowsReplies && !client->property("dead").toBool())
                    client->write(bytes);
            });
            connect(server, &QTcpSocket::disconnected, client, &QTcpSocket::abort);
        });
    }

    [[nodiscard]] quint16 port() const { return m_listener.serverPort(); }
    void dropAll()
    {
        for (const auto& client : std::as_const(m_clients)) {
            if (client)
                client->abort();
        }
    }

    std::function<void(const QByteArray&)> onRequest; //!< before the server sees it
    bool swallowsReplies = false;
    bool swallowsPushes = false; //!< and anything else to connections that have subscribed
    int swallowed = 0;

private:
    QTcpServer m_listener;
    QList<QPointer<QTcpSocket>> m_clients;
};

} // namespace lockboard::test
