// SPDX-License-Identifier: MIT
#include "engine/store/redial.h"

#include <QTest>

using namespace lockboard;
using namespace std::chrono_literals;

class TestRedial final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void growsRare();
    void isHastenedByACall();
    void isNotHastenedWhereReadyMeansNothing();
    void beginsAnewAfterALongTime();
};

static const TimePoint start(1h);

void TestRedial::growsRare()
{
    Redial redial;
    TimePoint now = start;
    for (const Duration pause :
         {50ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5000ms, 5000ms}) {
        redial.begin(now);
        const TimePoint next = redial.fail(now);
        QVERIFY(next >= now + pause * 3 / 4 && next <= now + pause * 5 / 4);
        now = next;
    }
}

void TestRedial::isHastenedByACall()
{
    Redial redial;
    for (int i = 0; i < 9; ++i) {
        redial.begin(start);
        QVERIFY(redial.fail(start) > start);
        QCOMPARE(redial.hastened(start), start + 50ms);
        QCOMPARE(redial.hastened(start + 1s), start + 1s);
    }
}

void TestRedial::isNotHastenedWhereReadyMeansNothing()
{
    Redial redial;
    TimePoint now = start;
    for (int i = 0; i < 20; ++i) {
        redial.begin(now);
        redial.succeed(now);
        const TimePoint next = redial.fail(now);
        const TimePoint wanted = redial.hastened(now);
        QVERIFY(wanted >= std::min(next, now + 1s) && wanted <= now + 1s);
        now = wanted;
    }
    QVERIFY(now > start + 10s);
}

void TestRedial::beginsAnewAfterALongTime()
{
    Redial redial;
    for (int i = 0; i < 9; ++i) {
        redial.begin(start);
        QVERIFY(redial.fail(start) > start);
    }
    redial.begin(start);
    redial.succeed(start);
    QVERIFY(redial.fail(start + 1s) <= start + 1s + 63ms);
}

QTEST_APPLESS_MAIN(TestRedial)
#include "tst_redial.moc"
