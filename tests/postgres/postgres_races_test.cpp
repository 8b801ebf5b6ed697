// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A call meets a row that another session has changed and not committed yet: it waits, and what
//! is true then decides, not what was true when it began.
class PostgresRacesTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { m_server = std::make_unique<PostgresServer>(); }
    void init();
    void cleanupTestCase() { m_server.reset(); }

    void acquireWaitsForTheOutcome_data();
    void acquireWaitsForTheOutcome();
    void releaseWaitsForTheOutcome_data();
    void releaseWaitsForTheOutcome();
    void releaseOfAnOwnersWaitsForTheOutcome_data();
    void releaseOfAnOwnersWaitsForTheOutcome();
    void releaseOfAllWaitsForTheOutcome_data();
    void releaseOfAllWaitsForTheOutcome();
    void tokenIsTakenAfterTheWait_data();
    void tokenIsTakenAfterTheWait();

private:
    //! Begins the other's transaction; \returns the row as it leaves it, NULL if there is none.
    QString begin(Sql& other, const QString& statement) const;
    [[nodiscard]] QString rowOf(const QString& key) { return m_server->value(m_row, {key}); }
    [[nodiscard]] QString rowsOfMine()
    {
        return m_server->value(u"SELECT count(*) FROM locking WHERE owner_id = 'me'"_s);
    }

    const QString m_row = u"SELECT l::text FROM locking l WHERE id = $1"_s;
    std::unique_ptr<PostgresServer> m_server;
};

void PostgresRacesTest::init()
{
    m_server->query(u"DROP TABLE IF EXISTS locking"_s);
    m_server->createTable();
}

QString PostgresRacesTest::begin(Sql& other, const QString& statement) const
{
    other.query(u"BEGIN"_s);
    other.query(statement);
    return other.value(m_row, {u"k"_s});
}

static AcquireOptions mine()
{
    return AcquireOptions().ownedBy("me");
}

static const char* const takes = "UPDATE locking SET owner_id = 'x', expiration = NULL";
static const char* const renews = "UPDATE locking SET expiration = now() + interval '1 hour'";
static const char* const deletes = "DELETE FROM locking";
static const char* const inserts = "INSERT INTO locking VALUES ('k', 'x', NULL)";
static const char* const replaces =
    "DELETE FROM locking; INSERT INTO locking VALUES ('k', 'x', NULL)";

static const char* const isMine = "('k', 'me', NULL)";
static const char* const isNobodys = "('k', NULL, NULL)";
static const char* const isOver = "('k', 'y', now() - interval '1 hour')";

void PostgresRacesTest::acquireWaitsForTheOutcome_data()
{
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("statement");
    QTest::addColumn<QString>("holder"); // once it is committed; NULL: we are
    QTest::addColumn<bool>("commits");
    QTest::addColumn<bool>("several");
    const auto add = [](const char* what, const char* before, const char* statement,
                        const char* holder) {
        for (const bool commits : {true, false}) {
            for (const bool several : {false, true}) {
                QTest::addRow("%s, %s%s", what, commits ? "committed" : "rolled back",
                              several ? ", several keys" : "")
                    << QString::fromLatin1(before) << QString::fromLatin1(statement)
                    << QString::fromLatin1(holder) << commits << several;
            }
        }
    };
    add("free, inserted", "", inserts, "x");
    add("over, taken", isOver, takes, "x");
    add("over, renewed", isOver, renews, "y");
    add("over, deleted", isOver, deletes, "");
    add("over, replaced", isOver, replaces, "x");
    add("mine, taken", isMine, takes, "x");
    add("mine, deleted", isMine, deletes, "");
    add("mine, replaced", isMine, replaces, "x");
    add("nobody's, claimed", isNobodys, takes, "x");
    add("nobody's, deleted", isNobodys, deletes, "");
}

void PostgresRacesTest::acquireWaitsForTheOutcome()
{
    QFETCH(const QString, before);
    QFETCH(const QString, statement);
    QFETCH(const QString, holder);
    QFETCH(const bool, commits);
    QFETCH(const bool, several);
    if (!before.isEmpty())
        m_server->query(u"INSERT INTO locking VALUES "_s + before);
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    const QString theirs = begin(other, statement);
    Task<Grant> grant = locks->acquire(several ? LockKeys("a", "k", "z") : LockKeys("k"), mine());
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    QVERIFY(!grant.isReady());
    other.query(commits ? u"COMMIT"_s : u"ROLLBACK"_s);
    if (commits && !holder.isEmpty()) {
        const Conflict conflict = thrownBy<Conflict>(std::move(grant));
        QCOMPARE(conflict.key(), std::string("k"));
        QCOMPARE(conflict.holder(), Owner(holder.toStdString()));
        QCOMPARE(rowOf(u"k"_s), theirs);
        QCOMPARE(rowsOfMine(), u"0"_s); // all or none
        return;
    }
    QVERIFY(await(std::move(grant)).token());
    QCOMPARE(rowsOfMine(), several ? u"3"_s : u"1"_s);
}

void PostgresRacesTest::releaseWaitsForTheOutcome_data()
{
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("statement");
    QTest::addColumn<bool>("commits");
    QTest::addColumn<int>("outcome");
    QTest::addColumn<bool>("several");
    using enum ReleaseOutcome;
    const auto add = [](const char* what, const char* before, const char* statement,
                        ReleaseOutcome committed, ReleaseOutcome rolledBack) {
        const QString row = QString::fromLatin1(before), sql = QString::fromLatin1(statement);
        for (const bool several : {false, true}) {
            const char* const more = several ? ", several keys" : "";
            QTest::addRow("%s, committed%s", what, more)
                << row << sql << true << int(committed) << several;
            QTest::addRow("%s, rolled back%s", what, more)
                << row << sql << false << int(rolledBack) << several;
        }
    };
    add("mine, taken", isMine, takes, HeldByOther, Released);
    add("mine, renewed", isMine, renews, Released, Released);
    add("mine, deleted", isMine, deletes, NotHeld, Released);
    add("mine, replaced", isMine, replaces, HeldByOther, Released);
    add("nobody's, claimed", isNobodys, takes, HeldByOther, Released);
    add("over, taken", isOver, takes, NotHeld, NotHeld);
}

void PostgresRacesTest::releaseWaitsForTheOutcome()
{
    QFETCH(const QString, before);
    QFETCH(const QString, statement);
    QFETCH(const bool, commits);
    QFETCH(const int, outcome);
    QFETCH(const bool, several);
    m_server->query(u"INSERT INTO locking VALUES "_s + before);
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    const QString theirs = begin(other, statement);
    await(locks->acquire(LockKeys("a", "z"), mine()));
    Task<ReleaseResult> releasing = locks->release(
        several ? LockKeys("a", "k", "z") : LockKeys("k"), ReleaseOptions().ownedBy("me"));
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    QVERIFY(!releasing.isReady());
    other.query(commits ? u"COMMIT"_s : u"ROLLBACK"_s);
    const ReleaseResult result = await(std::move(releasing));
    const KeyRelease released = result.of("k");
    QCOMPARE(int(released.outcome), outcome);
    QCOMPARE(result.left().size(), released.outcome == ReleaseOutcome::Released ? 0U : 1U);
    if (released.outcome == ReleaseOutcome::HeldByOther)
        QCOMPARE(released.holder, Owner("x"));
    const bool stays = commits && released.outcome != ReleaseOutcome::Released;
    QCOMPARE(rowOf(u"k"_s), stays ? theirs : QString());
}

static void addOutcomesOfThree(bool all)
{
    QTest::addColumn<QString>("statement");
    QTest::addColumn<bool>("commits");
    QTest::addColumn<int>("released");
    QTest::addColumn<int>("left");
    const auto add = [](const char* what, const char* statement, int committed, int left) {
        const QString sql = QString::fromLatin1(statement) + u" WHERE id = 'k'"_s;
        QTest::addRow("%s, committed", what) << sql << true << committed << left;
        QTest::addRow("%s, rolled back", what) << sql << false << 3 << 0;
    };
    add("taken", takes, 2, all ? 1 : 0);
    add("renewed", renews, 3, 0);
    add("deleted", deletes, 2, 0);
}

void PostgresRacesTest::releaseOfAnOwnersWaitsForTheOutcome_data()
{
    addOutcomesOfThree(false);
}

void PostgresRacesTest::releaseOfAnOwnersWaitsForTheOutcome()
{
    QFETCH(const QString, statement);
    QFETCH(const bool, commits);
    QFETCH(const int, released);
    m_server->query(u"INSERT INTO locking VALUES ('a', 'me'), ('k', 'me'), ('z', 'me')"_s);
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    const QString theirs = begin(other, statement);
    Task<ReleaseAllResult> releasing = locks->releaseAll(ReleaseAllOptions().ownedBy("me"));
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    other.query(commits ? u"COMMIT"_s : u"ROLLBACK"_s);
    const ReleaseAllResult result = await(std::move(releasing));
    QVERIFY(!result.interruption);
    QCOMPARE(int(result.released), released);
    QCOMPARE(result.left(), 0U); // what is another's by now was never meant
    QCOMPARE(rowsOfMine(), u"0"_s);
    if (commits && statement.startsWith(QLatin1String(takes)))
        QCOMPARE(rowOf(u"k"_s), theirs);
}

void PostgresRacesTest::releaseOfAllWaitsForTheOutcome_data()
{
    addOutcomesOfThree(true);
}

void PostgresRacesTest::releaseOfAllWaitsForTheOutcome()
{
    QFETCH(const QString, statement);
    QFETCH(const bool, commits);
    QFETCH(const int, released);
    QFETCH(const int, left);
    m_server->query(u"INSERT INTO locking VALUES ('a', 'me'), ('k', 'me'), ('z', 'you')"_s);
    const PostgresModule locks(*m_server);
    Sql other(m_server->url());
    const QString theirs = begin(other, statement);
    Task<ReleaseAllResult> releasing = locks->releaseAll();
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    other.query(commits ? u"COMMIT"_s : u"ROLLBACK"_s);
    const ReleaseAllResult result = await(std::move(releasing));
    QVERIFY(!result.interruption);
    QCOMPARE(int(result.released), released);
    QCOMPARE(int(result.left()), left);
    QCOMPARE(rowOf(u"k"_s), left == 1 ? theirs : QString());
    QCOMPARE(m_server->value(u"SELECT count(*) FROM locking"_s), QString::number(left));
}

void PostgresRacesTest::tokenIsTakenAfterTheWait_data()
{
    QTest::addColumn<QString>("before");
    QTest::addColumn<QString>("statement");
    QTest::newRow("free, inserted") << QString() << QString::fromLatin1(inserts);
    QTest::newRow("over, taken") << QString::fromLatin1(isOver) << QString::fromLatin1(takes);
}

void PostgresRacesTest::tokenIsTakenAfterTheWait()
{
    QFETCH(const QString, before);
    QFETCH(const QString, statement);
    if (!before.isEmpty())
        m_server->query(u"INSERT INTO locking VALUES "_s + before);
    const PostgresModule locks(*m_server), others(*m_server);
    await(locks->release("warm"));
    Sql other(m_server->url());
    begin(other, statement);
    Task<Grant> grant = locks->acquire("k", mine());
    QTRY_COMPARE(sessionsThatWait(*m_server), 1);
    FencingToken last = 0;
    for (int i = 0; i < 20; ++i) { // numbers and tokens are handed out meanwhile
        last = m_server->value(u"SELECT txid_current()"_s).toULongLong();
        const Grant another = await(others->acquire("other" + std::to_string(i)));
        QVERIFY(*another.token() > last);
        last = *another.token();
    }
    QVERIFY(!grant.isReady());
    other.query(u"ROLLBACK"_s);
    const Grant granted = await(std::move(grant));
    QVERIFY2(*granted.token() > last,
             qPrintable(u"%1 is not above %2"_s.arg(*granted.token()).arg(last)));
    QVERIFY(await(locks->release("k", ReleaseOptions().ownedBy("me"))).allReleased());
    QVERIFY(*await(others->acquire("k")).token() > *granted.token());
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresRacesTest)
#include "postgres_races_test.moc"
