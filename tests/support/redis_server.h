// SPDX-License-Identifier: MIT
#pragma once

#include <QProcess>
#include <QTemporaryDir>

#include <memory>

namespace lockboard::test {

//! A real redis-server of its own on a free loopback port, in a temporary directory, without
//! persistence. Stopped by the destructor. What can't be started throws: never a silent skip.
class RedisServer final {
public:
    explicit RedisServer(const QStringList& arguments = {});
    //! A sentinel; `configuration` is in the words of its file, which it writes to itself.
    [[nodiscard]] static std::unique_ptr<RedisServer> sentinel(const QByteArray& configuration);
    ~RedisServer();

    //! Of loopback, free a moment ago.
    [[nodiscard]] static quint16 freePort();
    [[nodiscard]] quint16 port() const { return m_port; }
    [[nodiscard]] QString url() const;
    [[nodiscard]] QString socketPath() const
    {
        return m_folder.filePath(QStringLiteral("redis.sock"));
    }
    //! Runs redis-cli against it and gives what it printed, without the last newline.
    QString cli(const QStringList& arguments) const;
    QString cli(const QStringList& arguments, const QByteArray& input) const;

    [[nodiscard]] bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    void kill(); //!< SIGKILL
    void start(); //!< again, on the same port
    void pause(); //!< SIGSTOP
    void resume(); //!< SIGCONT

private:
    explicit RedisServer(const QByteArray& sentinelConfiguration);

    QTemporaryDir m_folder;
    QStringList m_arguments; // all of them
    QProcess m_process;
    quint16 m_port = 0;
};

} // namespace lockboard::test
