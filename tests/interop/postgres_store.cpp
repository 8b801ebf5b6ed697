// SPDX-License-Identifier: MIT
#include "tests/interop/postgres_store.h"

#include <QCoroTimer>
#include <QRandomGenerator>

namespace lockboard::test {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

PostgresStore::PostgresStore()
{
    server.createTable();
    server.query(u"CREATE TABLE trail (place serial PRIMARY KEY, what text);"
                 "CREATE TABLE counters (name text PRIMARY KEY, count int)"_s);
}

std::unique_ptr<OneProvider> PostgresStore::lockboard(const QString& resolve) const
{
    return std::make_unique<PostgresModule>(url(), QString(), resolve);
}

void PostgresStore::empty()
{
    server.query(u"TRUNCATE locking, trail, counters;"
                 "INSERT INTO counters VALUES ('counter', 0)"_s);
}

QString PostgresStore::owner(const QString& key)
{
    return server.value(u"SELECT owner_id FROM locking WHERE id = $1"_s, {key});
}

double PostgresStore::lease(const QString& key)
{
    const QString left = u"SELECT extract(epoch FROM expiration - clock_timestamp()) FROM locking "
                         "WHERE id = $1"_s;
    return server.value(left, {key}).toDouble();
}

QStringList PostgresStore::column(const QString& statement)
{
    QStringList column;
    const Sql::Rows rows = server.query(statement);
    for (const QStringList& row : rows)
        column += row[0];
    return column;
}

QStringList PostgresStore::keys()
{
    return column(u"SELECT id FROM locking ORDER BY id COLLATE \"C\""_s);
}

QStringList PostgresStore::trail()
{
    return column(u"SELECT what FROM trail ORDER BY place"_s);
}

void PostgresStore::leaveTrail(const QString& what)
{
    server.query(u"INSERT INTO trail (what) VALUES ($1)"_s, {what});
}

int PostgresStore::count()
{
    return server.value(u"SELECT count FROM counters"_s).toInt();
}

Task<> PostgresStore::increment()
{
    const int before = count();
    if (QRandomGenerator::global()->bounded(2) == 1)
        co_await QCoro::sleepFor(1ms);
    server.query(u"UPDATE counters SET count = $1"_s, {QString::number(before + 1)});
    leaveTrail(u"ours"_s);
}

} // namespace lockboard::test
