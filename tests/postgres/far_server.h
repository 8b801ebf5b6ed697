// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/postgres_server.h"

#include <QTcpServer>
#include <QTcpSocket>
#include <QTimer>

#include <chrono>

namespace lockboard::test {

//! A server as one far away sees it: what passes in either direction takes its time.
class FarServer final : public QObject {
public:
    FarServer(const PostgresServer& server, std::chrono::milliseconds oneWay)
        : m_server(server)
        , m_oneWay(oneWay)
    {
        m_listener.listen(QHostAddress::LocalHost);
        connect(&m_listener, &QTcpServer::newConnection, this, [this] {
            auto* const client = m_listener.nextPendingConnection();
            auto* const inside = new QTcpSocket(client);
            inside->connectToHost(QHostAddress(QHostAddress::LocalHost), m_server.port());
            carry(client, inside);
            carry(inside, client);
            connect(inside, &QTcpSocket::disconnected, client, &QTcpSocket::abort);
            connect(client, &QTcpSocket::disconnected, client, &QObject::deleteLater);
        });
    }

    [[nodiscard]] QString url() const
    {
        QString url = m_server.url();
        return url.replace(u':' + QString::number(m_server.port()),
                           u':' + QString::number(m_listener.serverPort()));
    }
    //! How often it was asked something with these words in it.
    [[nodiscard]] int asked(const QByteArray& words) const { return int(m_passed.count(words)); }

private:
    void carry(QTcpSocket* from, QTcpSocket* to)
    {
        connect(from, &QTcpSocket::readyRead, to, [this, from, to] {
            const QByteArray bytes = from->readAll();
            if (from->parent() == &m_listener)
                m_passed += bytes;
            QTimer::singleShot(m_oneWay, Qt::PreciseTimer, to, [to, bytes] { to->write(bytes); });
        });
    }

    const PostgresServer& m_server;
    const std::chrono::milliseconds m_oneWay;
    QTcpServer m_listener;
    QByteArray m_passed;
};

} // namespace lockboard::test
