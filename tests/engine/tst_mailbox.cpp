// SPDX-License-Identifier: MIT
#include "engine/async/mailbox.h"

#include <QTest>

#include <thread>

using namespace lockboard;

class TestMailbox final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lettersRunInOrderOnItsThread();
    void whatIsNotReadIsReturned();
    void aLetterMayEndTheMailbox();
    void aLetterMayRunALoop();
    void closesWithItsThread();
    void manyPost();
};

void TestMailbox::lettersRunInOrderOnItsThread()
{
    Mailbox box;
    std::vector<int> read;
    std::thread::id where;
    std::thread other([&] {
        for (int i = 0; i < 3; ++i) {
            QVERIFY(box.post([&, i] {
                read.push_back(i);
                where = std::this_thread::get_id();
            }));
        }
    });
    other.join();
    QVERIFY(read.empty());
    QTRY_COMPARE(read.size(), 3u);
    QCOMPARE(read, (std::vector<int>{0, 1, 2}));
    QCOMPARE(where, std::this_thread::get_id());
}

void TestMailbox::whatIsNotReadIsReturned()
{
    Mailbox box;
    int read = 0;
    int returned = 0;
    int closed = 0;
    QVERIFY(box.post([&] { ++read; }, [&] { ++returned; }));
    QVERIFY(box.watch([&] { ++closed; }) != 0);
    box.unwatch(box.watch([&] { closed += 10; }));
    box.close();
    QCOMPARE(returned, 1);
    QCOMPARE(closed, 1);
    QVERIFY(!box.post([&] { ++read; }, [&] { ++returned; }));
    QCOMPARE(box.watch([&] { ++closed; }), 0u);
    QCoreApplication::processEvents();
    box.close();
    QCOMPARE(read, 0);
    QCOMPARE(returned, 1);
    QCOMPARE(closed, 1);
}

void TestMailbox::aLetterMayEndTheMailbox()
{
    auto box = std::make_unique<Mailbox>();
    bool read = false;
    bool returned = false;
    QVERIFY(box->post([&] { box.reset(); }));
    QVERIFY(box->post([&] { read = true; }, [&] { returned = true; }));
    QTRY_VERIFY(returned);
    QVERIFY(!box && !read);
}

void TestMailbox::aLetterMayRunALoop()
{
    Mailbox box;
    bool second = false;
    bool seen = false;
    QVERIFY(box.post([&] { seen = QTest::qWaitFor([&] { return second; }); }));
    QVERIFY(box.post([&] { second = true; }));
    QTRY_VERIFY(seen);
}

void TestMailbox::closesWithItsThread()
{
    std::shared_ptr<Mailbox> box;
    std::atomic<bool> closed = false;
    std::thread other([&] {
        box = Mailbox::ofThisThread();
        QCOMPARE(box, Mailbox::ofThisThread());
        QVERIFY(box->watch([&] { closed = true; }) != 0);
    });
    other.join();
    QVERIFY(closed);
    QVERIFY(box != Mailbox::ofThisThread());
    QVERIFY(!box->post([] {}));
}

void TestMailbox::manyPost()
{
    Mailbox box;
    int read = 0;
    std::vector<std::thread> all;
    for (int t = 0; t < 4; ++t) {
        all.emplace_back([&] {
            for (int i = 0; i < 2000; ++i)
                QVERIFY(box.post([&] { ++read; }));
        });
    }
    QTRY_COMPARE(read, 8000);
    for (std::thread& thread : all)
        thread.join();
}

QTEST_GUILESS_MAIN(TestMailbox)
#include "tst_mailbox.moc"
