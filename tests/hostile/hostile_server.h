// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArrayList>
#include <QTcpServer>
#include <QThread>

#include <atomic>
#include <functional>
#include <map>
#include <memory>

namespace lockboard::test {

//! What a server sends on one connection, beyond what it has sent at once: more, whenever the other
//! side has taken it. Empty: it is at its end.
using Stream = std::function<QByteArray()>;

//! An answer of a server: bytes, whatever they are, and what it does after them.
class Answer final {
public:
    enum class Then : std::uint8_t { Stays, Closes, Streams };

    Answer() = default;
    Answer(const char* text)
        : bytes(text)
    {
    }
    Answer(QByteArray b, Then t = Then::Stays, Stream s = {})
        : bytes(std::move(b))
        , then(t)
        , stream(std::move(s))
    {
    }

    QByteArray bytes; //!< `%port` stands for the port that it listens at
    Then then = Then::Stays;
    Stream stream;
};

//! A server that is asked in the protocol of Redis and answers as it is told to: the right words to
//! every command, but for those that a test has others for. In a thread of its own, so that a test
//! may wait for a program that speaks to it.
class HostileServer final {
public:
    //! By the name of a command, "EVAL" or "CLUSTER" say; "*": every one; "": as soon as somebody
    //! connects. Called in the server's thread, which it may hold up.
    using Script = std::map<QByteArray, std::function<Answer(const QByteArrayList& command)>>;

    explicit HostileServer(Script script);
    ~HostileServer();

    [[nodiscard]] quint16 port() const { return m_port; }
    //! How many connections there were.
    [[nodiscard]] int connections() const { return m_connections; }
    //! How many there are.
    [[nodiscard]] int openConnections() const { return m_open; }

    [[nodiscard]] static QByteArray text(const QByteArray& bytes);
    [[nodiscard]] static QByteArray array(const QByteArrayList& replies);

private:
    class Connection;
    [[nodiscard]] Answer answerTo(const QByteArrayList& command) const;

    Script m_script;
    QThread m_thread;
    QTcpServer* m_listener = nullptr;
    quint16 m_port = 0;
    std::atomic<int> m_connections = 0;
    std::atomic<int> m_open = 0;
};

} // namespace lockboard::test
