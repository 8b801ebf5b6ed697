// SPDX-License-Identifier: MIT
#include "tests/support/postgres_server.h"

#include "tests/support/certificates.h"
#include "tests/support/redis_server.h"
#include "tests/support/server_process.h"

#include <libpq-fe.h>

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QStandardPaths>
#include <QThread>
#include <QUrl>

#include <sys/shm.h>

#include <csignal>
#include <stdexcept>

namespace lockboard::test {

namespace {

void copySecret(const QString& from, const QString& to)
{
    if (!QFile::copy(from, to))
        throw std::runtime_error(from.toStdString() + " can't be copied");
    QFile::setPermissions(to, QFile::ReadOwner | QFile::WriteOwner);
    giveToUnprivileged(to);
}

QByteArray settings(const PostgresOptions& options, const QString& socketDir)
{
    // What is shared lies in files of the data directory: a killed server leaves nothing behind.
    QByteArray text = "listen_addresses = '127.0.0.1'\nunix_socket_directories = '"
        + socketDir.toUtf8()
        + "'\nfsync = off\nfull_page_writes = off\ndynamic_shared_memory_type = mmap\n"
          "timezone = 'UTC'\nlc_messages = 'C'\n";
    if (options.authority) {
        text += "ssl = on\nssl_cert_file = 'server.pem'\nssl_key_file = 'server.key'\n"
                "ssl_ca_file = 'ca.pem'\n";
    }
    return text + options.settings.join(u'\n').toUtf8() + '\n';
}

} // namespace

QString PostgresServer::program(const QString& name)
{
    // Debian keeps each version's programs in a folder of its own, outside the PATH.
    const QDir versions(QStringLiteral("/usr/lib/postgresql"));
    QStringList folders;
    int newest = 0;
    for (const QString& version : versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        const QString folder = versions.filePath(version + QStringLiteral("/bin"));
        if (version.toInt() > newest && QFile::exists(folder + QStringLiteral("/postgres"))) {
            newest = version.toInt();
            folders = {folder};
        }
    }
    QString path = QStandardPaths::findExecutable(name, folders);
    if (path.isEmpty())
        path = QStandardPaths::findExecutable(name);
    if (path.isEmpty())
        throw std::runtime_error("PostgreSQL's " + name.toStdString() + " is not installed");
    return path;
}

PostgresServer::PostgresServer(const PostgresOptions& options)
    : m_folder(QDir::temp().filePath(QStringLiteral("pg-XXXXXX"))) // a socket's path is short
    , m_password(options.password)
{
    makeData(options);
    if (options.ahead.count() != 0)
        setClock(options.ahead);
    // Somebody may be quicker at the port that was free: then another.
    for (int tries = 5; !isRunning(); --tries) {
        m_port = RedisServer::freePort();
        try {
            start();
        } catch (const std::runtime_error&) {
            if (tries == 1)
                throw;
        }
    }
}

PostgresServer::~PostgresServer()
{
    // A killed one has left the small piece of shared memory by which it knows its children.
    QFile pidFile(file(QStringLiteral("data/postmaster.pid")));
    const bool left = !isRunning() && pidFile.open(QIODevice::ReadOnly);
    const QList<QByteArray> shared = pidFile.isOpen()
        ? pidFile.readAll().split('\n').value(6).simplified().split(' ')
        : QList<QByteArray>();
    if (left && shared.size() == 2)
        ::shmctl(shared[1].toInt(), IPC_RMID, nullptr);
    resume();
    end(SIGQUIT);
}

void PostgresServer::makeData(const PostgresOptions& options)
{
    makeReachable(m_folder.path());
    const QString data = file(QStringLiteral("data"));
    for (const QString& folder : {data, socketDir()}) {
        QDir().mkpath(folder);
        giveToUnprivileged(folder);
    }
    QStringList arguments{QStringLiteral("--no-sync"),        QStringLiteral("--encoding=UTF8"),
                          QStringLiteral("--locale=C.UTF-8"), QStringLiteral("--username=postgres"),
                          QStringLiteral("--pgdata"),         data};
    if (m_password.isEmpty()) {
        arguments += QStringLiteral("--auth=trust");
    } else {
        const QString passwordFile = file(QStringLiteral("password"));
        writeForUnprivileged(passwordFile, m_password.toUtf8() + '\n');
        arguments +=
            {QStringLiteral("--auth=scram-sha-256"), QStringLiteral("--pwfile"), passwordFile};
    }
    QString maker = QStringLiteral("initdb");
    if (options.standbyOf) {
        QFile::setPermissions(data, QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
        maker = QStringLiteral("pg_basebackup");
        arguments = {QStringLiteral("--no-sync"), QStringLiteral("--checkpoint=fast"),
                     QStringLiteral("--write-recovery-conf"),
                     QStringLiteral("--dbname=") + options.standbyOf->url(),
                     QStringLiteral("--pgdata=") + data};
    }
    QProcess making;
    runUnprivileged(making, SIGKILL);
    making.setWorkingDirectory(m_folder.path());
    making.setProcessChannelMode(QProcess::MergedChannels);
    making.start(program(maker), arguments);
    if (!making.waitForFinished(120'000) || making.exitCode() != 0)
        throw std::runtime_error(maker.toStdString()
                                 + " failed: " + making.readAll().toStdString());

    if (options.authority) {
        const QString certificate = options.authority->path(options.certificate);
        copySecret(certificate + QStringLiteral(".pem"), data + QStringLiteral("/server.pem"));
        copySecret(certificate + QStringLiteral(".key"), data + QStringLiteral("/server.key"));
        copySecret(options.authority->authority(), data + QStringLiteral("/ca.pem"));
    }
    writeForUnprivileged(data + QStringLiteral("/postgresql.conf"), settings(options, socketDir()));
    QFile rules(data + QStringLiteral("/pg_hba.conf"));
    if (!options.rules.isEmpty() && rules.open(QIODevice::ReadOnly)) {
        const QByteArray others = rules.readAll();
        rules.close();
        writeForUnprivileged(rules.fileName(), options.rules.join(u'\n').toUtf8() + '\n' + others);
    }
}

void PostgresServer::setClock(std::chrono::seconds ahead)
{
    const QDir libraries(QStringLiteral("/usr/lib"));
    QString library;
    for (const QString& folder : libraries.entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        const QString path =
            libraries.filePath(folder + QStringLiteral("/faketime/libfaketime.so.1"));
        if (QFile::exists(path))
            library = path;
    }
    if (library.isEmpty())
        throw std::runtime_error("libfaketime is not installed");
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(QStringLiteral("LD_PRELOAD"), library);
    environment.insert(QStringLiteral("FAKETIME"),
                       QString::asprintf("%+lld", qint64(ahead.count())));
    environment.insert(QStringLiteral("FAKETIME_DONT_FAKE_MONOTONIC"), QStringLiteral("1"));
    environment.insert(QStringLiteral("FAKETIME_DISABLE_SHM"), QStringLiteral("1"));
    m_process.setProcessEnvironment(environment);
}

QString PostgresServer::url(const QString& user, const QString& database) const
{
    QUrl url;
    url.setScheme(QStringLiteral("postgres"));
    url.setHost(QStringLiteral("127.0.0.1"));
    url.setPort(m_port);
    url.setUserName(user);
    if (user == QLatin1String("postgres") && !m_password.isEmpty())
        url.setPassword(m_password);
    url.setPath(u'/' + database);
    return url.toString(QUrl::FullyEncoded);
}

QString PostgresServer::log() const
{
    QFile log(file(QStringLiteral("log")));
    return log.open(QIODevice::ReadOnly) ? QString::fromUtf8(log.readAll()) : QString();
}

Sql& PostgresServer::sql()
{
    if (!m_sql)
        m_sql.emplace(url());
    return *m_sql;
}

void PostgresServer::createTable(const QString& name)
{
    query(QStringLiteral("CREATE TABLE %1 (\"id\" text NOT NULL, \"owner_id\" text NULL, "
                         "\"expiration\" timestamptz NULL, PRIMARY KEY (\"id\"))")
              .arg(name));
}

int PostgresServer::advisoryLocks()
{
    return value(QStringLiteral("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND "
                                "classid = 0 AND objsubid = 1 AND granted"))
        .toInt();
}

void PostgresServer::createDatabase(const QString& name)
{
    query(QStringLiteral("CREATE DATABASE \"%1\"").arg(name));
}

void PostgresServer::start()
{
    runUnprivileged(m_process, SIGQUIT);
    m_process.setWorkingDirectory(m_folder.path());
    m_process.setStandardOutputFile(file(QStringLiteral("log")), QIODevice::Append);
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    m_process.start(program(QStringLiteral("postgres")),
                    {QStringLiteral("-D"), file(QStringLiteral("data")), QStringLiteral("-p"),
                     QString::number(m_port)});
    QElapsedTimer waited;
    waited.start();
    while (m_process.state() != QProcess::NotRunning && waited.elapsed() < 30'000) {
        if (PQping(url().toUtf8().constData()) == PQPING_OK)
            return;
        m_process.waitForFinished(10);
    }
    end(SIGQUIT);
    throw std::runtime_error("PostgreSQL can't be started: " + m_process.errorString().toStdString()
                             + '\n' + log().toStdString());
}

void PostgresServer::end(int signal)
{
    m_sql.reset();
    if (!isRunning())
        return;
    ::kill(pid(), signal);
    if (m_process.waitForFinished(10'000))
        return;
    signalAll(SIGKILL);
    m_process.waitForFinished(5000);
}

void PostgresServer::stop()
{
    end(SIGINT);
}

void PostgresServer::kill()
{
    m_sql.reset();
    if (!isRunning())
        return;
    ::kill(pid(), SIGSTOP); // no more children
    const QList<pid_t> children = childrenOf(pid());
    signalAll(SIGKILL);
    m_process.waitForFinished(5000);
    // It can't be started again as long as one of them is there.
    for (const pid_t child : children) {
        while (!hasEnded(child))
            QThread::msleep(1);
    }
}

void PostgresServer::pause()
{
    signalAll(SIGSTOP);
}

void PostgresServer::resume()
{
    signalAll(SIGCONT);
}

void PostgresServer::signalAll(int signal)
{
    if (!isRunning())
        return;
    if (signal != SIGCONT)
        ::kill(pid(), SIGSTOP); // no more children
    for (const pid_t child : childrenOf(pid()))
        ::kill(child, signal);
    ::kill(pid(), signal);
}

} // namespace lockboard::test
