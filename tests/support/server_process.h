// SPDX-License-Identifier: MIT
#pragma once

#include <QProcess>

namespace lockboard::test {

//! PostgreSQL and PgBouncer refuse to run as root. A test that is root, as in a container, runs
//! them as the user whom Debian's packages made for them; any other test as itself.
//! `death`: the signal they get when this process dies before them.
void runUnprivileged(QProcess& process, int death);
//! Makes a file or folder theirs.
void giveToUnprivileged(const QString& path);
void writeForUnprivileged(const QString& path, const QByteArray& text);
//! Lets them reach what is theirs in a folder that QTemporaryDir made, closed to everyone else.
void makeReachable(const QString& folder);

//! Those whose parent it is, now.
[[nodiscard]] QList<pid_t> childrenOf(pid_t parent);
//! Also if nobody has asked yet how it ended.
[[nodiscard]] bool hasEnded(pid_t process);

} // namespace lockboard::test
