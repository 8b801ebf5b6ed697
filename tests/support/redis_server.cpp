// SPDX-License-Identifier: MIT
#include "tests/support/redis_server.h"

#include <QElapsedTimer>
#include <QFile>
#include <QRandomGenerator>
#include <QTcpServer>
#include <QTcpSocket>

#include <sys/prctl.h>

#include <csignal>
#include <stdexcept>

namespace lockboard::test {

quint16 RedisServer::freePort()
{
    // Below those that the system gives to outgoing connections: one of them may be taken the
    // moment after. A node of a cluster listens 10,000 above its port too.
    constexpr int firstOfTheSystem = 32'768;
    for (;;) {
        QTcpServer probe, bus;
        const int port = QRandomGenerator::global()->bounded(10'000, firstOfTheSystem - 10'000);
        if (probe.listen(QHostAddress::LocalHost, static_cast<quint16>(port))
            && bus.listen(QHostAddress::LocalHost, static_cast<quint16>(port + 10'000)))
            return probe.serverPort();
    }
}

RedisServer::RedisServer(const QStringList& arguments)
    : m_port(freePort())
{
    m_arguments = QStringList{QStringLiteral("--port"),       QString::number(m_port),
                              QStringLiteral("--bind"),       QStringLiteral("127.0.0.1"),
                              QStringLiteral("--save"),       QString(),
                              QStringLiteral("--appendonly"), QStringLiteral("no"),
                              QStringLiteral("--unixsocket"), socketPath(),
                              QStringLiteral("--dir"),        m_folder.path()}
        + arguments;
    start();
}

RedisServer::RedisServer(const QByteArray& sentinelConfiguration)
    : m_port(freePort())
{
    QFile file(m_folder.filePath(QStringLiteral("sentinel.conf")));
    if (!file.open(QIODevice::WriteOnly))
        throw std::runtime_error("a sentinel's configuration can't be written");
    file.write("port " + QByteArray::number(m_port) + "\nbind 127.0.0.1\ndir "
               + m_folder.path().toUtf8() + '\n' + sentinelConfiguration);
    m_arguments = {file.fileName(), QStringLiteral("--sentinel")};
    file.close();
    start();
}

std::unique_ptr<RedisServer> RedisServer::sentinel(const QByteArray& configuration)
{
    return std::unique_ptr<RedisServer>(new RedisServer(configuration));
}

RedisServer::~RedisServer()
{
    resume();
    kill();
}

QString RedisServer::url() const
{
    return QStringLiteral("redis://127.0.0.1:%1").arg(m_port);
}

void RedisServer::start()
{
    // A test that is killed, by ctest's timeout say, takes its server along.
    m_process.setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); });
    m_process.start(QStringLiteral("redis-server"), m_arguments);
    QElapsedTimer waited;
    waited.start();
    while (waited.elapsed() < 10'000) {
        QTcpSocket socket;
        socket.connectToHost(QHostAddress(QHostAddress::LocalHost), m_port);
        if (socket.waitForConnected(200))
            return;
        if (m_process.state() == QProcess::NotRunning)
            break;
        m_process.waitForFinished(10);
    }
    throw std::runtime_error("redis-server can't be started: "
                             + m_process.errorString().toStdString() + ' '
                             + m_process.readAllStandardOutput().toStdString());
}

QString RedisServer::cli(const QStringList& arguments) const
{
    return cli(arguments, {});
}

QString RedisServer::cli(const QStringList& arguments, const QByteArray& input) const
{
    QProcess process;
    process.start(QStringLiteral("redis-cli"),
                  QStringList{QStringLiteral("-p"), QString::number(m_port)} + arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(30'000))
        throw std::runtime_error("redis-cli did not finish");
    QString out = QString::fromUtf8(process.readAllStandardOutput());
    if (out.endsWith(u'\n'))
        out.chop(1);
    return out;
}

void RedisServer::kill()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.kill();
    m_process.waitForFinished(5000);
}

void RedisServer::pause()
{
    ::kill(static_cast<pid_t>(m_process.processId()), SIGSTOP);
}

void RedisServer::resume()
{
    if (m_process.processId() > 0)
        ::kill(static_cast<pid_t>(m_process.processId()), SIGCONT);
}

} // namespace lockboard::test
