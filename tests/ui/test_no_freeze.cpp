// SPDX-License-Identifier: MIT
#include "tests/support/console.h"
#include "tests/ui/watchdog.h"

#include <QLineEdit>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

class TestNoFreeze final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void a100kLocksNeverStopTheWindow()
    {
        constexpr int count = 100'000;
        constexpr qint64 budgetMs = 250; // generous: a debug build beside other builds
        Console console;
        await(populate(*console.module, count), 60s);
        console.open();
        Watchdog watchdog;
        const auto* model = console.table->model();
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), count, 60'000);
        qInfo("listed; worst gap %lld ms", watchdog.worst());

        auto* filter = console.find<QLineEdit>("filterField");
        filter->setText(u"owner:=owner-7"_s);
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), count / 100, 30'000);
        filter->setText(u"cart_9999"_s);
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), 11, 30'000);
        filter->clear();
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), count, 30'000);
        qInfo("filtered; worst gap %lld ms", watchdog.worst());

        console.table->sortByColumn(int(LockColumn::Ttl), Qt::DescendingOrder);
        QTRY_COMPARE_WITH_TIMEOUT(model->index(0, 0).data().toString(), u"cart_99999"_s, 30'000);
        console.table->selectAll();
        await(renew(*console.module, 5000), 60s);
        QTRY_COMPARE_WITH_TIMEOUT(model->index(0, 0).data().toString(), u"cart_4999"_s, 30'000);
        QCOMPARE(console.table->selectedCount(), std::size_t(count));
        qInfo("sorted and changed; worst gap %lld ms", watchdog.worst());

        ReleaseAllOptions options;
        options.ownedBy("owner-3");
        await(console.module->releaseAll(options));
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), count - count / 100, 30'000);
        await(console.module->releaseAll());
        QTRY_COMPARE_WITH_TIMEOUT(model->rowCount(), 0, 30'000);
        qInfo("all gone; worst gap %lld ms", watchdog.worst());
        QVERIFY2(watchdog.worst() < budgetMs, qPrintable(QString::number(watchdog.worst())));
    }

private:
    static Task<> populate(LockingModule& module, int count)
    {
        for (int owner = 0; owner < 100; ++owner) {
            std::vector<std::string> keys;
            for (int i = owner; i < count; i += 100)
                keys.push_back("cart_" + std::to_string(i));
            AcquireOptions options;
            options.ownedBy("owner-" + std::to_string(owner))
                .expiringIn(Duration(3'600'000 + owner));
            LockKeys all(std::move(keys));
            co_await module.acquire(std::move(all), std::move(options));
        }
    }
    static Task<> renew(LockingModule& module, int howMany)
    {
        for (int i = 0; i < howMany; ++i) {
            AcquireOptions options;
            options.ownedBy("owner-" + std::to_string(i % 100)).expiringIn(Duration(7'200'000 + i));
            LockKeys key("cart_" + std::to_string(i));
            co_await module.acquire(std::move(key), std::move(options));
        }
    }
};

QTEST_MAIN(TestNoFreeze)
#include "test_no_freeze.moc"
