// SPDX-License-Identifier: MIT
#include "engine/redis/wire/reply.h"
#include "tests/redis/documented_rights.h"
#include "tests/redis/redis_fixture.h"

#include <QCoroTimer>

#include <set>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

//! A user with the rights that engine/redis/README.md names can do all; with less, what needs the right says so,
//! and the rest works.
class RedisRightsTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase() { m_server.reset(); }
    void cleanup() { cli({u"FLUSHALL"_s}); }
    void theDocumentedRightsDo();
    void theDocumentedRightsDoForTokens();
    void withoutNotesTheLocksWork();
    void lessDoesLess_data();
    void lessDoesLess();
    void someKeysOnly();
    void whatMayNotBeGivenBackEndsWithItsLease();

private:
    QString cli(const QStringList& command) const { return m_server->cli(command); }
    void permit(QStringList rights) const;
    [[nodiscard]] RedisModule open(const QString& more = {}) const
    {
        return RedisModule(
            u"\"redisUrl\": \"redis://lockboard:s3cret@127.0.0.1:%1/1\""_s.arg(m_server->port())
            + more);
    }
    //! What the server denied to whomever.
    [[nodiscard]] QString denied() const { return cli({u"ACL"_s, u"LOG"_s}); }

    std::unique_ptr<RedisServer> m_server;
    QStringList m_rights; // what README.md gives
    QStringList m_rightsForTokens; // and besides
};

//! The last state that is more than an attempt to connect.
static SourceState settledState(const RedisModule& module, LockBatch* shown = nullptr)
{
    const LiveViewPtr view = await(module->liveView());
    SourceState state;
    QObject::connect(view.get(), &LiveView::stateChanged, view.get(),
                     [&](const SourceState& now) { state = now; });
    if (shown) {
        QObject::connect(view.get(), &LiveView::snapshotBatch, view.get(),
                         [shown](const LockBatch& batch) { *shown += batch; });
    }
    view->start();
    if (!QTest::qWaitFor([&] { return state.kind != SourceState::Connecting; }))
        throw std::runtime_error("the view does not settle");
    return state;
}

static std::string findingsOf(const RedisModule& module)
{
    std::string all;
    for (const Finding& finding : await(module->check()).findings)
        all += finding.sentence + '\n';
    return all;
}

void RedisRightsTest::initTestCase()
{
    m_server = std::make_unique<RedisServer>();
    const DocumentedRights rights(u"s3cret"_s);
    m_rights = rights.all;
    m_rightsForTokens = rights.forTokens;
    QVERIFY(m_rights.contains(u">s3cret"_s) && !m_rightsForTokens.isEmpty());
}

void RedisRightsTest::permit(QStringList rights) const
{
    cli({u"SCRIPT"_s, u"FLUSH"_s});
    cli({u"ACL"_s, u"LOG"_s, u"RESET"_s});
    QCOMPARE(cli(QStringList{u"ACL"_s, u"SETUSER"_s, u"lockboard"_s, u"reset"_s} + rights),
             u"OK"_s);
}

void RedisRightsTest::theDocumentedRightsDo()
{
    permit(m_rights);
    const RedisModule locks = open();
    const auto ann = AcquireOptions().ownedBy("ann").expiringIn(60s);
    const auto bob = AcquireOptions().ownedBy("bob").expiringIn(60s);

    const SourceState state = settledState(locks);
    QVERIFY2(state.kind == SourceState::Live && state.why.isEmpty(), qPrintable(state.why));
    const std::string findings = findingsOf(locks);
    QVERIFY2(findings.find("live mode: push (RESP") != std::string::npos, findings.c_str());

    await(locks->acquire("a", ann));
    await(locks->acquire("a", ann)); // extended
    QVERIFY(thrownBy<Conflict>(locks->acquire("a", bob)).remaining());
    await(locks->acquire(LockKeys("b", "c"), bob));
    await(locks->acquire("free"));
    await(locks->acquire("free", ann)); // claimed
    cli({u"-n"_s, u"1"_s, u"HSET"_s, u"medusa_lock:odd"_s, u"f"_s, u"v"_s});
    thrownBy<InvalidArgument>(locks->acquire("odd", ann));
    LockBatch shown;
    QCOMPARE(settledState(locks, &shown).kind, SourceState::Live);
    QCOMPARE(shown.size(), 5);

    // Longer than its lease: it is renewed.
    await(locks->execute(
        LockKeys("job"), [] { return QCoro::sleepFor(700ms); },
        ExecuteOptions().expiringIn(400ms)));
    QCOMPARE(
        await(locks->release(LockKeys("a", "free"), ReleaseOptions().ownedBy("ann"))).left().size(),
        0U);
    // A waiter is served when somebody else lets go.
    cli({u"-n"_s, u"1"_s, u"SET"_s, u"medusa_lock:w"_s, u"medusa"_s});
    auto waiting = locks->acquire("w", AcquireOptions().ownedBy("ann").waiting(Duration(20s)));
    QTest::qWait(200);
    cli({u"-n"_s, u"1"_s, u"DEL"_s, u"medusa_lock:w"_s});
    await(std::move(waiting));

    ReleaseAllOptions bobs;
    bobs.ownedBy("bob");
    QCOMPARE(await(locks->releaseAll(bobs)).released, 2U);
    QCOMPARE(await(locks->releaseAll(ReleaseAllOptions())).released, 1U);
    QCOMPARE(denied(), QString());
}

//! What fencing and notes need besides.
void RedisRightsTest::theDocumentedRightsDoForTokens()
{
    const QString more = u", \"fencing\": true, \"annotate\": true"_s;
    const auto ann = AcquireOptions().ownedBy("ann").expiringIn(60s);
    permit(m_rights);
    {
        const RedisModule locks = open(more);
        const std::string said = thrownBy<Denied>(locks->acquire("a", ann)).message();
        QVERIFY2(said.find("NOPERM") != std::string::npos
                     && said.find("need the keys lockboard:*") != std::string::npos,
                 said.c_str());
        const std::string findings = findingsOf(locks);
        QVERIFY2(findings.find("need the keys lockboard:*") != std::string::npos, findings.c_str());
    }
    QStringList withoutTime = m_rightsForTokens;
    withoutTime.removeAll(u"+time"_s);
    permit(m_rights + withoutTime);
    {
        const RedisModule locks = open(more);
        const std::string said = thrownBy<Denied>(locks->acquire("a", ann)).message();
        QVERIFY2(said.find("command TIME") != std::string::npos, said.c_str());
    }
    QCOMPARE(cli({u"-n"_s, u"1"_s, u"DBSIZE"_s}), u"0"_s);
    permit(m_rights + m_rightsForTokens);
    const RedisModule locks = open(more);
    QVERIFY(await(locks->acquire("a", ann)).token());
    await(locks->execute(
        LockKeys("job"), [] { return QCoro::sleepFor(700ms); },
        ExecuteOptions().expiringIn(400ms)));
    LockBatch shown;
    QCOMPARE(settledState(locks, &shown).kind, SourceState::Live);
    QCOMPARE(shown.size(), 1);
    QVERIFY(shown.first().token);
    QVERIFY(await(locks->release("a", ReleaseOptions().ownedBy("ann"))).allReleased());
    await(locks->acquire("b", ann));
    QCOMPARE(await(locks->releaseAll(ReleaseAllOptions())).released, 1U);
    QCOMPARE(denied(), QString());
}

//! Who may not write notes loses them and nothing else.
void RedisRightsTest::withoutNotesTheLocksWork()
{
    permit(m_rights);
    const auto ann = AcquireOptions().ownedBy("ann").expiringIn(60s);
    const QString more = u", \"annotate\": true"_s;
    const std::string sentence = "Who holds a lock is not noted, though \"annotate\" is on: ";
    {
        const RedisModule locks = open(more);
        const std::string findings = findingsOf(locks);
        QVERIFY2(findings.find(sentence) != std::string::npos, findings.c_str());
    }
    const RedisModule locks = open(more);
    QVERIFY(!await(locks->acquire("a", ann)).isExtension());
    QVERIFY(await(locks->acquire("a", ann)).isExtension());
    await(locks->acquire(LockKeys("b", "c"), ann));
    thrownBy<Conflict>(locks->acquire("a", AcquireOptions().ownedBy("bob")));
    await(locks->execute(
        LockKeys("job"), [] { return QCoro::sleepFor(700ms); },
        ExecuteOptions().expiringIn(400ms)));
    LockBatch shown;
    const SourceState state = settledState(locks, &shown);
    QCOMPARE(state.kind, SourceState::Live);
    QCOMPARE(shown.size(), 3);
    QVERIFY(state.warnings.join(u' ').contains(QString::fromStdString(sentence)));
    QVERIFY(await(locks->release("a", ReleaseOptions().ownedBy("ann"))).allReleased());
    QCOMPARE(await(locks->releaseAll(ReleaseAllOptions())).released, 2U);
    const auto said = locks.log.find(sentence);
    QVERIFY(said != std::string::npos);
    QCOMPARE(locks.log.find(sentence, said + 1), std::string::npos); // once

    // Of each call, the first to meet the denial goes on without notes.
    const RedisModule releases = open(more);
    cli({u"-n"_s, u"1"_s, u"SET"_s, u"medusa_lock:d"_s, u"ann"_s});
    QVERIFY(await(releases->release("d", ReleaseOptions().ownedBy("ann"))).allReleased());
    const RedisModule releasesAll = open(more);
    cli({u"-n"_s, u"1"_s, u"SET"_s, u"medusa_lock:e"_s, u"ann"_s});
    QCOMPARE(await(releasesAll->releaseAll(ReleaseAllOptions())).released, 1U);
}

void RedisRightsTest::lessDoesLess_data()
{
    QTest::addColumn<QString>("without");
    QTest::addColumn<QString>("fails");
    const auto row = [](const char* without, const char* fails) {
        QTest::newRow(without) << QString::fromLatin1(without) << QString::fromLatin1(fails);
    };
    row("+set", "conflict many one");
    row("+get", "conflict list many release release-all release-owner");
    row("+eval", "conflict many release release-all release-owner");
    row("+evalsha", "conflict many release release-all release-owner");
    row("+pttl", "list conflict");
    row("+pexpire", "");
    row("+del", "release");
    row("+unlink", "release-owner release-all");
    row("+scan", "release-owner release-all list");
    row("+type", "");
    row("+dbsize", "");
    row("+info", "");
    row("+ping", "");
    const char* const redirected = redis::Reply::canBePush() ? "" : "push";
    row("+subscribe", redirected);
    row("+client|setname", "");
    row("+cluster|slots", "");
    row("+asking", "");
    row("+client|id", redirected);
    row("+client|tracking", "push");
    row("&__redis__:invalidate", redirected);
}

void RedisRightsTest::lessDoesLess()
{
    QFETCH(const QString, without);
    QFETCH(const QString, fails);
    QVERIFY(m_rights.contains(without));
    QStringList rights = m_rights;
    rights.removeAll(without);
    permit(rights);

    const RedisModule locks = open();
    const auto ann = AcquireOptions().ownedBy("ann");
    std::set<QString> failed;
    const auto attempt = [&](const char* feature, const auto& call) {
        try {
            call();
        } catch (const Denied& error) {
            failed.insert(QLatin1String(feature));
            const std::string& said = error.message();
            QVERIFY2(said.find("does not permit this user to do that") != std::string::npos,
                     said.c_str());
        }
    };
    const auto put = [&](const char* key, const char* owner) {
        cli({u"-n"_s, u"1"_s, u"SET"_s, u"medusa_lock:"_s + QLatin1String(key),
             QLatin1String(owner), u"PX"_s, u"60000"_s});
    };
    const auto release = [&] { await(locks->release("r", ReleaseOptions().ownedBy("ann"))); };
    const auto releaseOwners = [&] {
        ReleaseAllOptions options;
        options.ownedBy("ann");
        await(locks->releaseAll(options));
    };
    cli({u"-n"_s, u"1"_s, u"HSET"_s, u"medusa_lock:odd"_s, u"f"_s, u"v"_s});
    put("held", "bob");
    attempt("one", [&] { await(locks->acquire("one", ann)); });
    attempt("many", [&] { await(locks->acquire(LockKeys("two", "three"), ann)); });
    try {
        attempt("conflict", [&] { await(locks->acquire("held", ann)); });
    } catch (const Conflict&) {
    }
    put("r", "ann");
    attempt("release", release);
    put("o", "ann");
    attempt("release-owner", releaseOwners);

    LockBatch shown;
    const SourceState state = settledState(locks, &shown);
    if (state.kind != SourceState::Live) {
        QVERIFY(state.denied);
        QVERIFY2(state.why.contains(u"does not permit this user"_s), qPrintable(state.why));
        failed.insert(u"list"_s);
    } else {
        QVERIFY2(state.why.isEmpty(), qPrintable(state.why));
        QVERIFY(std::any_of(shown.begin(), shown.end(),
                            [](const Lock& lock) { return lock.state == LockState::WrongType; }));
    }
    const std::string findings = findingsOf(locks);
    if (findings.find("live mode: push (RESP") == std::string::npos) {
        QVERIFY2(findings.find("polling: the server refuses client tracking (NOPERM")
                     != std::string::npos,
                 findings.c_str());
        failed.insert(u"push"_s);
    }
    const bool knows = findings.find("may not ask INFO") == std::string::npos;
    QCOMPARE(knows, without != u"+info"_s);
    attempt("release-all", [&] { await(locks->releaseAll(ReleaseAllOptions())); });

    std::set<QString> expected;
    for (const QString& feature : fails.split(u' ', Qt::SkipEmptyParts))
        expected.insert(feature);
    QCOMPARE(QStringList(failed.begin(), failed.end()),
             QStringList(expected.begin(), expected.end()));
}

void RedisRightsTest::someKeysOnly()
{
    QStringList rights = m_rights;
    rights.replaceInStrings(u"~medusa_lock:*"_s, u"~medusa_lock:cart_*"_s);
    permit(rights);
    cli({u"-n"_s, u"1"_s, u"SET"_s, u"medusa_lock:order_1"_s, u"bob"_s});
    RedisModule locks = open();
    const auto ann = AcquireOptions().ownedBy("ann");
    await(locks->acquire("cart_1", ann));
    const std::string said = thrownBy<Denied>(locks->acquire("order_2", ann)).message();
    QVERIFY2(said.find("NOPERM") != std::string::npos, said.c_str());
    thrownBy<Denied>(locks->acquire(LockKeys("cart_2", "order_2"), ann));

    LockBatch shown;
    const SourceState state = settledState(locks, &shown);
    QCOMPARE(state.kind, SourceState::Live);
    QVERIFY2(state.why.contains(u"does not permit this user to read some keys"_s)
                 && state.why.contains(u"\"order_1\""_s),
             qPrintable(state.why));
    QCOMPARE(shown.size(), 1);
    QCOMPARE(QByteArray::fromStdString(shown.first().key), "cart_1");
    QVERIFY(locks.log.find("Not all locks are shown") != std::string::npos);
    thrownBy<Denied>(locks->releaseAll(ReleaseAllOptions()));
    QVERIFY(await(locks->release("cart_1", ReleaseOptions().ownedBy("ann"))).allReleased());
}

//! A job's user loses the right to release before it ends.
void RedisRightsTest::whatMayNotBeGivenBackEndsWithItsLease()
{
    permit(m_rights);
    const RedisModule locks = open();
    const auto loseRights = [this] {
        cli({u"ACL"_s, u"SETUSER"_s, u"lockboard"_s, u"-eval"_s, u"-evalsha"_s});
    };
    const auto isHeld = [this](const QString& key) {
        return cli({u"-n"_s, u"1"_s, u"EXISTS"_s, u"medusa_lock:"_s + key}) == u"1"_s;
    };
    await(locks->execute("a", loseRights));
    QVERIFY(isHeld(u"a"_s));
    cli({u"ACL"_s, u"SETUSER"_s, u"lockboard"_s, u"+eval"_s, u"+evalsha"_s});
    QTRY_VERIFY(!isHeld(u"a"_s)); // tried again

    await(locks->execute("b", loseRights));
    const std::string sentence =
        "Could not give back the lock for key \"b\"; if it is held, then till its lease ends: ";
    QTRY_VERIFY_WITH_TIMEOUT(locks.log.find(sentence) != std::string::npos, 30'000);
    QVERIFY(isHeld(u"b"_s));
    const QString denials = denied().section(u'\n', 1, 1);
    QTest::qWait(1000);
    QCOMPARE(denied().section(u'\n', 1, 1), denials); // and not again
    QCOMPARE(locks.log.find(sentence, locks.log.find(sentence) + 1), std::string::npos);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisRightsTest)
#include "redis_rights_test.moc"
