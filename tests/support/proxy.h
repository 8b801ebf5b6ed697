// SPDX-License-Identifier: MIT
#pragma once

#include <QPointer>
#include <QTcpServer>
#include <QTcpSocket>

#include <functional>

namespace lockboard::test {

//! Stands between a client and a server on the same machine, looks at what passes, and fails on
//! request, as networks do.
class Proxy final : public QObject {
public:
    //! What befalls a connection.
    enum class Fault {
        None,
        DropsBefore, //!< it dies; the server never sees the request
        DropsAfter, //!< it dies once the server has answered
        Silence, //!< it stays open, and nothing passes any more
        Garbage, //!< the client is answered in another protocol
    };

    explicit Proxy(quint16 serverPort)
    {
        m_listener.listen(QHostAddress::LocalHost);
        connect(&m_listener, &QTcpServer::newConnection, this, [this, serverPort] {
            auto* client = m_listener.nextPendingConnection();
            if (isCut) {
                client->abort();
                client->deleteLater();
                return;
            }
            auto* server = new QTcpSocket(client);
            m_clients.append(client);
            server->connectToHost(QHostAddress(QHostAddress::LocalHost), serverPort);
            connect(client, &QTcpSocket::readyRead, this,
                    [this, client, server] { passRequest(client, server); });
            connect(server, &QTcpSocket::readyRead, this,
                    [this, client, server] { passReply(client, server); });
            connect(server, &QTcpSocket::disconnected, client, &QTcpSocket::abort);
            connect(client, &QTcpSocket::disconnected, server, &QTcpSocket::abort);
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
    //! Fails once, with the next request that contains `trigger`.
    void failAt(const QByteArray& trigger, Fault fault)
    {
        m_trigger = trigger;
        m_fault = fault;
    }
    //! Has what was asked for by failAt() happened?
    [[nodiscard]] bool hasFailed() const { return m_fault == Fault::None; }
    //! Drops all connections and takes no more that work, until told otherwise.
    void cut(bool on = true)
    {
        isCut = on;
        if (on)
            dropAll();
    }

    std::function<void(const QByteArray&)> onRequest; //!< before the server sees it
    std::function<void()> onFault; //!< before the connection dies
    bool swallowsReplies = false;
    bool swallowsPushes = false; //!< and anything else to connections that have subscribed
    int swallowed = 0;
    bool isCut = false;

private:
    void passRequest(QTcpSocket* client, QTcpSocket* server)
    {
        const QByteArray bytes = client->readAll();
        if (onRequest)
            onRequest(bytes);
        if (bytes.contains("TRACKING"))
            client->setProperty("subscribed", true);
        if (m_fault != Fault::None && bytes.contains(m_trigger)) {
            client->setProperty("fault", int(m_fault));
            if (std::exchange(m_fault, Fault::None) == Fault::DropsBefore) {
                if (onFault)
                    onFault();
                client->abort();
                return;
            }
        }
        if (faultOf(client) != Fault::Silence && client->isOpen()) {
            server->write(bytes);
            if (server->state() == QTcpSocket::ConnectedState)
                server->flush(); // what has passed has passed, whatever comes next
        }
    }
    void passReply(QTcpSocket* client, QTcpSocket* server)
    {
        const QByteArray bytes = server->readAll();
        if (swallowsPushes && client->property("subscribed").toBool()) {
            client->setProperty("dead", true);
            ++swallowed;
        }
        switch (faultOf(client)) {
        case Fault::DropsAfter:
            if (onFault)
                onFault();
            client->abort();
            return;
        case Fault::Garbage:
            client->write("HTTP/1.1 502 Bad Gateway\r\n\r\n");
            return;
        default:
            if (!swallowsReplies && !client->property("dead").toBool())
                client->write(bytes);
        }
    }
    static Fault faultOf(const QTcpSocket* client)
    {
        return Fault(client->property("fault").toInt());
    }

    QTcpServer m_listener;
    QList<QPointer<QTcpSocket>> m_clients;
    QByteArray m_trigger;
    Fault m_fault = Fault::None;
};

} // namespace lockboard::test
