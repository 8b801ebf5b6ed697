// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "tests/interop/lock_cases.h"
#include "tests/interop/postgres_store.h"

#include <QRandomGenerator>

namespace lockboard::test {

class InteropPostgresLocksTest final : public InteropLocksTest {
    Q_OBJECT

public:
    InteropPostgresLocksTest()
        : InteropLocksTest(std::make_unique<PostgresStore>())
    {
    }

private Q_SLOTS:
    void showsWhatMedusaHolds();
    void medusaSharesWhatItIsTooLateFor();
    void releaseAllFreesAll();
    void anyKeyIsTheSameForBoth();
    void medusaTakesWhatWeLeaveOnceItIsReleased();
    void hashesAsMedusaDoes();

private:
    [[nodiscard]] PostgresServer& server() const
    {
        return static_cast<PostgresStore&>(store()).server;
    }
};

void InteropPostgresLocksTest::showsWhatMedusaHolds()
{
    m_medusa.run(u"acquire"_s, call({u"früh"_s}, u"ann"_s, 60));
    m_medusa.run(u"acquire"_s, call({u"prod_1"_s}));
    Watcher seen(lockboard());
    QTRY_VERIFY(seen.isLive());
    QVERIFY(shows(seen, "früh", "ann"));
    QVERIFY(leaseShown(seen, "früh") > 50s && leaseShown(seen, "früh") <= 60s);
    QVERIFY(shows(seen, "prod_1", {}));
    QVERIFY(!seen.locks["prod_1"].leaseEnd);

    m_medusa.run(u"acquire"_s, call({u"cart_1"_s, u"cart_2"_s}, u"bob"_s, 30));
    QTRY_VERIFY_WITH_TIMEOUT(shows(seen, "cart_1", "bob") && shows(seen, "cart_2", "bob"), 20'000);
    m_medusa.run(u"releaseAll"_s, call({}, u"bob"_s));
    QTRY_VERIFY_WITH_TIMEOUT(!shows(seen, "cart_1", "bob") && !shows(seen, "cart_2", "bob"),
                             20'000);
}

//! What its code does not permit: without an owner it takes a lock for its own that somebody, also
//! without owner, was granted between its look and its insertion.
void InteropPostgresLocksTest::medusaSharesWhatItIsTooLateFor()
{
    const auto late = [this](const QString& key, const QString& owner) {
        Sql other(server().url());
        other.query(u"BEGIN"_s);
        other.query(u"INSERT INTO locking VALUES ($1, NULL, NULL)"_s, {key});
        const int theirs = m_medusa.begin(u"acquire"_s, call({key}, owner));
        const QString inserting = u"SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = "
                                  "'Lock' AND query LIKE 'INSERT%'"_s;
        if (!QTest::qWaitFor([&] { return server().value(inserting) == u"1"_s; }, 20'000))
            throw std::runtime_error("Medusa does not insert");
        other.query(u"COMMIT"_s);
        return m_medusa.refusal(theirs);
    };
    QCOMPARE(late(u"a"_s, u"ann"_s), u"\"a\" is already locked."_s);
    QCOMPARE(late(u"b"_s, QString()), QString());
}

void InteropPostgresLocksTest::releaseAllFreesAll()
{
    m_medusa.run(u"acquire"_s, call({u"a"_s}, u"ann"_s, 60));
    m_medusa.run(u"acquire"_s, call({u"b"_s}));
    QCOMPARE(await(ours().releaseAll()).released, 2u);
    QVERIFY(keys().isEmpty());
    await(ours().acquire("a", AcquireOptions().ownedBy("ann").expiringIn(60s)));
    m_medusa.run(u"releaseAll"_s, call({}));
    QVERIFY(keys().isEmpty());
    await(ours().acquire("a", AcquireOptions().ownedBy("bob"))); // nothing of ours remembers it
}

void InteropPostgresLocksTest::anyKeyIsTheSameForBoth()
{
    const QStringList all{u"it's"_s,
                          u"a\\b"_s,
                          u"\"\""_s,
                          u"{a,b}"_s,
                          u"NULL"_s,
                          u"line\nbreak\tand\x01"_s,
                          u"🔒 früh"_s,
                          u"$1 ? :a"_s,
                          QString(60'000, u'k')}; // an index has room for what can be compressed
    for (const QString& key : all) {
        await(ours().acquire(key.toStdString(), AcquireOptions().ownedBy("o'x")));
        QCOMPARE(refusal(u"acquire"_s, call({key}, u"bob"_s)), refusalOf(key));
        QCOMPARE(m_medusa.run(u"release"_s, call({key}, u"o'x"_s)), QJsonValue(true));
        m_medusa.run(u"acquire"_s, call({key}, u"a\\n"_s, 60));
        thrownBy<Conflict>(ours().acquire(key.toStdString(), AcquireOptions().ownedBy("bob")));
        QVERIFY(await(ours().release(key.toStdString(), ReleaseOptions().ownedBy("a\\n")))
                    .allReleased());
    }
}

//! Medusa's code never takes a row whose lease is over from another owner.
void InteropPostgresLocksTest::medusaTakesWhatWeLeaveOnceItIsReleased()
{
    const QJsonObject bob = call({u"a"_s}, u"bob"_s, 60);
    await(ours().acquire("a", AcquireOptions().ownedBy("ann").expiringIn(1s)));
    QTRY_VERIFY(lease(u"a"_s) < 0);
    QCOMPARE(refusal(u"acquire"_s, bob), refusalOf(u"a"_s));
    server().query(u"UPDATE locking SET expiration = now() - interval '1 year'"_s);
    QCOMPARE(refusal(u"acquire"_s, bob), refusalOf(u"a"_s));
    QCOMPARE(owner(u"a"_s), u"ann"_s);
    // Nobody holds it, and anyone may clean up.
    const auto residue = await(ours().release("a", ReleaseOptions().ownedBy("carl"))).of("a");
    QCOMPARE(residue.outcome, ReleaseOutcome::NotHeld);
    QCOMPARE(refusal(u"acquire"_s, bob), QString());
    QCOMPARE(owner(u"a"_s), u"bob"_s);
}

//! All that UTF-8 can say, the parts where UTF-16 changes its way more often than the rest.
static char32_t randomCharacter(QRandomGenerator& random)
{
    static constexpr char32_t borders[] = {1,      0x7f,   0x80,    0x7ff,  0x800,   0xd7ff,
                                           0xe000, 0xfeff, 0xfffd,  0xffff, 0x10000, 0x10ffff,
                                           0x301,  0x200d, 0x1f512, 0xdf,   0x130,   0x1e9e};
    switch (random.bounded(4)) {
    case 0:
        return borders[random.bounded(int(std::size(borders)))];
    case 1:
        return char32_t(random.bounded(1, 0x80));
    case 2:
        return char32_t(random.bounded(0x10000, 0x110000));
    default:
        const char32_t one = char32_t(random.bounded(1, 0x10000 - 0x800));
        return one < 0xd800 ? one : one + 0x800; // no half of a pair
    }
}

void InteropPostgresLocksTest::hashesAsMedusaDoes()
{
    constexpr int count = 10'000;
    QRandomGenerator random(20'241'009);
    QStringList texts;
    QJsonArray units;
    for (int i = 0; i < count; ++i) {
        std::u32string text;
        for (int length = i < 20 ? 1 : random.bounded(1, i % 100 == 0 ? 2000 : 40); length > 0;
             --length)
            text += randomCharacter(random);
        const QString key = QString::fromUcs4(text.data(), qsizetype(text.size()));
        QJsonArray unitsOfKey;
        for (const QChar unit : key)
            unitsOfKey.append(unit.unicode());
        texts.append(key);
        units.append(unitsOfKey);
    }
    const QJsonArray theirs = m_medusa.run(u"hash"_s, {{u"keys"_s, units}}).toArray();
    QCOMPARE(theirs.size(), count);
    int negative = 0; // if it were signed, as the hash is before Medusa makes it unsigned
    for (int i = 0; i < count; ++i) {
        const std::uint32_t hash = medusaHash(texts[i].toStdString());
        QCOMPARE(double(hash), theirs[i].toDouble());
        negative += hash > 0x7fffffffU ? 1 : 0;
    }
    QVERIFY(negative > count / 3);
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::InteropPostgresLocksTest)
#include "tst_interop_postgres_locks.moc"
