// SPDX-License-Identifier: MIT
#include "tests/support/pgbouncer.h"

#include "tests/support/redis_server.h"
#include "tests/support/server_process.h"

#include <libpq-fe.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QStandardPaths>

#include <csignal>
#include <stdexcept>

namespace lockboard::test {

PgBouncer::PgBouncer(const PostgresServer& server, Pooling pooling, const QStringList& settings)
    : m_port(RedisServer::freePort())
{
    makeReachable(m_folder.path());
    const QString users = m_folder.filePath(QStringLiteral("users"));
    writeForUnprivileged(users, "\"postgres\" \"\"\n");
    QStringList lines{
        QStringLiteral("[databases]"),
        QStringLiteral("* = host=127.0.0.1 port=%1").arg(server.port()),
        QStringLiteral("[pgbouncer]"),
        QStringLiteral("listen_addr = 127.0.0.1"),
        QStringLiteral("listen_port = %1").arg(m_port),
        QStringLiteral("unix_socket_dir ="),
        QStringLiteral("auth_type = trust"),
        QStringLiteral("auth_file = ") + users,
        QStringLiteral("pool_mode = ")
            + (pooling == Pooling::Session ? QStringLiteral("session")
                                           : QStringLiteral("transaction")),
    };
    lines += settings;
    writeForUnprivileged(m_folder.filePath(QStringLiteral("pgbouncer.ini")),
                         lines.join(u'\n').toUtf8() + '\n');
    start();
}

PgBouncer::~PgBouncer()
{
    stop();
}

QString PgBouncer::url(const QString& database) const
{
    return QStringLiteral("postgres://postgres@127.0.0.1:%1/%2").arg(m_port).arg(database);
}

void PgBouncer::start()
{
    runUnprivileged(m_process, SIGKILL);
    m_process.setWorkingDirectory(m_folder.path());
    const QString log = m_folder.filePath(QStringLiteral("log"));
    m_process.setStandardErrorFile(log, QIODevice::Append);
    // Debian keeps it where only root's PATH leads.
    QString program = QStandardPaths::findExecutable(QStringLiteral("pgbouncer"));
    if (program.isEmpty())
        program = QStringLiteral("/usr/sbin/pgbouncer");
    m_process.start(program, {m_folder.filePath(QStringLiteral("pgbouncer.ini"))});
    QElapsedTimer waited;
    waited.start();
    while (m_process.state() != QProcess::NotRunning && waited.elapsed() < 10'000) {
        if (PQping(url().toUtf8().constData()) == PQPING_OK)
            return;
        m_process.waitForFinished(10);
    }
    stop();
    QFile said(log);
    said.open(QIODevice::ReadOnly);
    throw std::runtime_error("PgBouncer can't be started: " + m_process.errorString().toStdString()
                             + '\n' + said.readAll().toStdString());
}

void PgBouncer::stop()
{
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.terminate();
    if (!m_process.waitForFinished(5000))
        m_process.kill();
    m_process.waitForFinished();
}

} // namespace lockboard::test
