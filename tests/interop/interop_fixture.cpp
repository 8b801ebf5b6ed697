// SPDX-License-Identifier: MIT
#include "tests/interop/interop_fixture.h"

namespace lockboard::test {

void InteropTest::initTestCase_data()
{
    QTest::addColumn<QString>("resolve");
    QTest::newRow("redis") << u"redis"_s;
    QTest::newRow("medusa") << u"@medusajs/locking-redis"_s;
}

void InteropTest::initTestCase()
{
    QVERIFY2(m_medusa.start(), qPrintable(m_medusa.problem()));
}

void InteropTest::init()
{
    QFETCH_GLOBAL(QString, resolve);
    cli(u"FLUSHALL"_s);
    m_module =
        std::make_unique<RedisModule>(u"\"redisUrl\": \"%1\""_s.arg(m_server.url()), resolve);
}

void InteropTest::cleanup()
{
    m_module.reset();
}

QStringList InteropTest::keys() const
{
    QStringList keys = cli(u"KEYS medusa_lock:*"_s).split(u'\n', Qt::SkipEmptyParts);
    keys.replaceInStrings(u"medusa_lock:"_s, QString());
    keys.sort();
    return keys;
}

} // namespace lockboard::test
