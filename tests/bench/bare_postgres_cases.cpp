// SPDX-License-Identifier: MIT
// What the provider adds to PostgreSQL itself: beside pgbench with a compare-and-swap, beside
// blocking advisory locks, and beside a COPY over libpq.
#include "tests/bench/loops.h"
#include "tests/bench/postgres_table.h"

#include <libpq-fe.h>

#include <QRegularExpression>

#include <charconv>
#include <thread>

namespace lockboard::bench {

using namespace std::chrono_literals;

namespace {

//! Acquire and release as plainly as they can be: a statement each, prepared, on a connection for
//! each caller.
constexpr const char* compareAndSwap = R"(
INSERT INTO locking AS l (id, owner_id, expiration) VALUES
    ('prod_' || :client_id::text, 'user_123', clock_timestamp() + interval '60 seconds')
ON CONFLICT (id) DO UPDATE SET owner_id = EXCLUDED.owner_id, expiration = EXCLUDED.expiration
WHERE l.expiration <= clock_timestamp() OR l.owner_id = EXCLUDED.owner_id
RETURNING expiration, txid_current();
DELETE FROM locking WHERE id = 'prod_' || :client_id::text AND owner_id = 'user_123'
    AND (expiration IS NULL OR expiration > clock_timestamp())
RETURNING id;
)";

double pgbenchPairs(test::PostgresServer& server, int callers, Duration length)
{
    emptyTable(server);
    QTemporaryDir folder;
    QFile script(folder.filePath(QStringLiteral("pair.sql")));
    if (!script.open(QIODevice::WriteOnly) || script.write(compareAndSwap) < 0)
        throw std::runtime_error("pgbench's script can't be written");
    script.close();
    // It counts in whole seconds.
    const auto seconds = std::max<Duration::rep>(1, length / 1s);
    QProcess pgbench;
    pgbench.start(test::PostgresServer::program(QStringLiteral("pgbench")),
                  {QStringLiteral("--no-vacuum"), QStringLiteral("--protocol=prepared"),
                   QStringLiteral("--client=%1").arg(callers),
                   QStringLiteral("--jobs=%1").arg(std::min(callers, 2)),
                   QStringLiteral("--time=%1").arg(seconds),
                   QStringLiteral("--file=") + script.fileName(), server.url()});
    pgbench.waitForFinished(-1);
    static const QRegularExpression figure(QStringLiteral("tps = ([0-9.]+)"));
    const QRegularExpressionMatch match =
        figure.match(QString::fromUtf8(pgbench.readAllStandardOutput()));
    if (!match.hasMatch())
        throw std::runtime_error(pgbench.readAllStandardError().toStdString());
    return match.captured(1).toDouble();
}

void takeTurns(const QString& url, int jobs, Turns& turns)
{
    test::Sql sql(url);
    for (int i = 0; i < jobs; ++i) {
        Turn turn;
        turn.queued = nowMs();
        sql.query(QStringLiteral("SELECT pg_advisory_lock(5381)"));
        turn.began = nowMs();
        std::this_thread::sleep_for(jobLength);
        turn.ended = nowMs();
        sql.query(QStringLiteral("SELECT pg_advisory_unlock(5381)"));
        turns.push_back(turn);
    }
}

//! Ten threads that wait in the server, each with a connection of its own.
double efficiencyOfAdvisoryLocks(test::PostgresServer& server, Duration length)
{
    constexpr int waiters = 10;
    const int jobs = jobsIn(length);
    std::vector<Turns> each(waiters);
    std::vector<std::thread> threads;
    for (Turns& turns : each)
        threads.emplace_back([&] { takeTurns(server.url(), jobs / waiters, turns); });
    for (std::thread& thread : threads)
        thread.join();
    Turns all;
    for (const Turns& turns : each)
        all.insert(all.end(), turns.begin(), turns.end());
    return HotKey(std::move(all), waiters).efficiency();
}

//! The next field of a line of COPY, as it stands there; none: NULL.
std::optional<std::string_view> takeField(std::string_view& line)
{
    const std::size_t end = std::min(line.find('\t'), line.size());
    const std::string_view field = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return field == "\\N" ? std::nullopt : std::optional(field);
}

std::string textOf(std::string_view field)
{
    std::string text(field);
    // What isn't printable has no place among these keys.
    for (std::size_t at = 0; (at = text.find('\\', at)) != text.npos; ++at)
        text.erase(at, 1);
    return text;
}

//! Of a timestamp like "2024-05-06 07:08:09.123456+00".
std::chrono::system_clock::time_point timeOf(std::string_view text)
{
    const auto number = [&](std::size_t from, std::size_t length) {
        int value = 0;
        std::from_chars(text.data() + from, text.data() + from + length, value);
        return value;
    };
    const std::chrono::year_month_day day(std::chrono::year(number(0, 4)),
                                          std::chrono::month(unsigned(number(5, 2))),
                                          std::chrono::day(unsigned(number(8, 2))));
    double seconds = 0;
    std::from_chars(text.data() + 17, text.data() + text.size(), seconds);
    return std::chrono::sys_days(day) + std::chrono::hours(number(11, 2))
        + std::chrono::minutes(number(14, 2))
        + std::chrono::microseconds(std::int64_t(seconds * 1e6));
}

double bareList(test::PostgresServer& server, int count)
{
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(
        PQconnectdb(server.url().toUtf8().constData()), PQfinish);
    const auto systemNow = std::chrono::system_clock::now();
    const TimePoint start = std::chrono::steady_clock::now();
    std::vector<Lock> locks;
    PQclear(PQexec(connection.get(), "COPY locking TO STDOUT"));
    char* bytes = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection.get(), &bytes, 0)) > 0;) {
        std::string_view line(bytes, static_cast<std::size_t>(size - 1));
        const auto key = takeField(line);
        const auto owner = takeField(line);
        const auto end = takeField(line);
        std::optional<TimePoint> leaseEnd;
        if (end)
            leaseEnd = start + std::chrono::duration_cast<Duration>(timeOf(*end) - systemNow);
        locks.emplace_back(textOf(*key), owner ? Owner(textOf(*owner)) : Owner(), leaseEnd);
        PQfreemem(bytes);
    }
    const auto taken = std::chrono::steady_clock::now() - start;
    if (locks.size() != static_cast<std::size_t>(count))
        throw std::runtime_error("COPY did not give every lock");
    return std::chrono::duration<double>(taken).count();
}

} // namespace

void addBarePostgresCases(std::vector<Case>& cases, const PostgresSource& server)
{
    for (const int callers : {1, 64}) {
        cases.push_back({"postgres-beside-pgbench-" + std::to_string(callers), "pairs/s",
                         [server, callers](Duration length) {
                             emptyTable(server());
                             return pairsPerSecond(server().url(), callers, length);
                         },
                         3,
                         [server, callers](Duration length) {
                             return pgbenchPairs(server(), callers, length);
                         }});
    }
    cases.push_back(
        {"postgres-execute-10-beside-advisory-locks", "%",
         [server](Duration length) {
             emptyTable(server());
             return efficiencyOfTen(server(), length);
         },
         3, [server](Duration length) { return efficiencyOfAdvisoryLocks(server(), length); }});
    cases.push_back({"postgres-list-1m", "s",
                     [server](Duration length) {
                         fillTable(server(), locksIn(length));
                         return secondsToList(server().url(), locksIn(length));
                     },
                     3,
                     [server](Duration length) {
                         fillTable(server(), locksIn(length));
                         return bareList(server(), locksIn(length));
                     }});
}

} // namespace lockboard::bench
