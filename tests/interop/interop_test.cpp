// SPDX-License-Identifier: MIT
#include "tests/interop/interop_test.h"

namespace lockboard::test {

InteropTest::InteropTest(std::unique_ptr<Store> store)
    : m_store(std::move(store))
    , m_medusa(m_store->url())
{
}

void InteropTest::initTestCase_data()
{
    QTest::addColumn<QString>("resolve");
    QTest::newRow(qPrintable(m_store->kind())) << m_store->kind();
    QTest::newRow("medusa") << u"@medusajs/locking-"_s + m_store->kind();
}

void InteropTest::initTestCase()
{
    QVERIFY2(m_medusa.start(), qPrintable(m_medusa.problem()));
}

void InteropTest::init()
{
    QFETCH_GLOBAL(QString, resolve);
    m_store->empty();
    m_lockboard = m_store->lockboard(resolve);
}

void InteropTest::cleanup()
{
    m_lockboard.reset();
}

bool InteropTest::isUnderMedusasName()
{
    QFETCH_GLOBAL(QString, resolve);
    return resolve.startsWith(u'@');
}

bool shows(const Watcher& watcher, const std::string& key, const Owner& owner)
{
    const auto found = watcher.locks.find(key);
    return found != watcher.locks.end() && found->second.owner == owner;
}

std::chrono::duration<double> leaseShown(const Watcher& watcher, const std::string& key)
{
    return watcher.locks.at(key).leaseEnd.value() - std::chrono::steady_clock::now();
}

} // namespace lockboard::test
