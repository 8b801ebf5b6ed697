// SPDX-License-Identifier: MIT
#include "tests/support/server_process.h"

#include <QDir>
#include <QFile>

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>

namespace lockboard::test {

namespace {

struct Account {
    uid_t user;
    gid_t group;
};

//! None: it is fine to go on as whoever runs the tests.
std::optional<Account> unprivileged()
{
    if (::geteuid() != 0)
        return std::nullopt;
    const passwd* const account = ::getpwnam("postgres");
    if (!account)
        throw std::runtime_error("there is no user \"postgres\" to run PostgreSQL as");
    return Account{account->pw_uid, account->pw_gid};
}

//! Its state, its parent, ...; empty if there is no such process.
QList<QByteArray> statusOf(pid_t process)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(process));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    // "PID (NAME) STATE PARENT ...": the name may hold anything
    const QByteArray status = file.readAll();
    return status.mid(status.lastIndexOf(')') + 2).split(' ');
}

} // namespace

void runUnprivileged(QProcess& process, int death)
{
    const std::optional<Account> account = unprivileged();
    process.setChildProcessModifier([account, death] {
        if (account
            && (::setgroups(0, nullptr) != 0 || ::setgid(account->group) != 0
                || ::setuid(account->user) != 0))
            ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, death); // only now: a change of user clears it
    });
}

void giveToUnprivileged(const QString& path)
{
    const std::optional<Account> account = unprivileged();
    if (account && ::chown(QFile::encodeName(path).constData(), account->user, account->group) != 0)
        throw std::runtime_error(path.toStdString() + " can't be given to PostgreSQL");
}

void writeForUnprivileged(const QString& path, const QByteArray& text)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
        throw std::runtime_error(path.toStdString() + " can't be written");
    file.close();
    giveToUnprivileged(path);
}

void makeReachable(const QString& folder)
{
    QFile::setPermissions(folder, QFile::permissions(folder) | QFile::ExeGroup | QFile::ExeOther);
}

QList<pid_t> childrenOf(pid_t parent)
{
    QList<pid_t> children;
    const QStringList names = QDir(QStringLiteral("/proc")).entryList(QDir::Dirs);
    for (const QString& name : names) {
        bool isProcess = false;
        const pid_t process = name.toInt(&isProcess);
        if (isProcess && statusOf(process).value(1).toInt() == parent)
            children += process;
    }
    return children;
}

bool hasEnded(pid_t process)
{
    const QList<QByteArray> status = statusOf(process);
    return status.isEmpty() || status[0] == "Z";
}

} // namespace lockboard::test
