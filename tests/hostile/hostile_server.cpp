// SPDX-License-Identifier: MIT
#include "tests/hostile/hostile_server.h"

#include <QTcpSocket>

namespace lockboard::test {

//! One side of a connection: reads commands, and writes what it is told to.
class HostileServer::Connection final : public QObject {
public:
    Connection(QTcpSocket* socket, const HostileServer& server)
        : QObject(socket)
        , m_socket(socket)
        , m_server(server)
    {
        connect(socket, &QTcpSocket::readyRead, this, [this] { read(); });
        connect(socket, &QTcpSocket::bytesWritten, this, [this] { streamOn(); });
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        if (m_server.m_script.contains(""))
            say(m_server.m_script.at("")({}));
    }

private:
    void read()
    {
        m_in += m_socket->readAll();
        for (QByteArrayList command = next(); !command.isEmpty(); command = next())
            say(m_server.answerTo(command));
    }

    //! The next command, if all of it is there.
    QByteArrayList next()
    {
        qsizetype at = 0;
        const auto number = [this, &at](char kind) {
            const qsizetype end = m_in.indexOf("\r\n", at);
            if (end < 0 || m_in.at(at) != kind)
                return qsizetype(-1);
            const qsizetype value = m_in.mid(at + 1, end - at - 1).toLongLong();
            at = end + 2;
            return value;
        };
        QByteArrayList command;
        const qsizetype count = m_in.isEmpty() ? -1 : number('*');
        for (qsizetype i = 0; i < count; ++i) {
            const qsizetype length = at < m_in.size() ? number('$') : -1;
            if (length < 0 || m_in.size() < at + length + 2)
                return {};
            command.append(m_in.mid(at, length));
            at += length + 2;
        }
        m_in.remove(0, command.isEmpty() ? 0 : at);
        return command;
    }

    void say(const Answer& answer)
    {
        if (m_stream)
            return; // in the midst of an answer that does not end
        QByteArray bytes = answer.bytes;
        bytes.replace("%port", QByteArray::number(m_server.m_port));
        m_socket->write(bytes);
        if (answer.then == Answer::Then::Closes)
            m_socket->disconnectFromHost();
        if (answer.then == Answer::Then::Streams) {
            m_stream = answer.stream;
            streamOn();
        }
    }

    void streamOn()
    {
        while (m_stream && m_socket->bytesToWrite() < 1 << 20) {
            const QByteArray more = m_stream();
            if (more.isEmpty())
                m_stream = nullptr;
            else if (m_socket->write(more) < 0)
                return;
        }
    }

    QTcpSocket* m_socket;
    const HostileServer& m_server;
    QByteArray m_in;
    Stream m_stream;
};

QByteArray HostileServer::text(const QByteArray& bytes)
{
    return '$' + QByteArray::number(bytes.size()) + "\r\n" + bytes + "\r\n";
}

QByteArray HostileServer::array(const QByteArrayList& replies)
{
    return '*' + QByteArray::number(replies.size()) + "\r\n" + replies.join();
}

Answer HostileServer::answerTo(const QByteArrayList& command) const
{
    const QByteArray name = command.front().toUpper();
    for (const QByteArray& known : {name, QByteArray("*")}) {
        const auto scripted = m_script.find(known);
        if (scripted != m_script.end())
            return scripted->second(command);
    }
    // What a Redis says that has one lock, which alice holds, and lets nobody have another.
    if (name == "INFO")
        return text("# Server\r\nredis_version:7.0.15\r\nredis_mode:standalone\r\nrun_id:"
                    "aaaa\r\nrole:master\r\nmaster_replid:bbbb\r\naof_enabled:1\r\n");
    if (name == "SCAN")
        return array({text("0"), array({text("medusa_lock:one")})});
    if (name == "GET")
        return text("alice");
    if (name == "PTTL")
        return ":-1\r\n";
    if (name == "DBSIZE")
        return ":1\r\n";
    if (name == "TYPE")
        return "+string\r\n";
    if (name == "SET")
        return "$-1\r\n";
    if (name == "EVALSHA")
        return "-NOSCRIPT No matching script.\r\n";
    if (name == "EVAL" && command[1].contains("'granted'"))
        return array({text("held"), ":1\r\n", text("alice"), ":-1\r\n"});
    if (name == "EVAL")
        return "-ERR no script is run here\r\n";
    if (name == "CLUSTER" || name == "CONFIG" || name == "SUBSCRIBE")
        return "-ERR not supported\r\n";
    return "+OK\r\n";
}

HostileServer::HostileServer(Script script)
    : m_script(std::move(script))
    , m_listener(new QTcpServer)
{
    m_listener->listen(QHostAddress::LocalHost);
    m_port = m_listener->serverPort();
    m_listener->moveToThread(&m_thread);
    QObject::connect(m_listener, &QTcpServer::newConnection, m_listener, [this] {
        while (QTcpSocket* const socket = m_listener->nextPendingConnection()) {
            ++m_connections;
            ++m_open;
            QObject::connect(socket, &QTcpSocket::disconnected, m_listener, [this] { --m_open; });
            new Connection(socket, *this);
        }
    });
    QObject::connect(&m_thread, &QThread::finished, m_listener, &QObject::deleteLater);
    m_thread.start();
}

HostileServer::~HostileServer()
{
    m_thread.quit();
    m_thread.wait();
}

} // namespace lockboard::test
