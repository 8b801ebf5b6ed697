// SPDX-License-Identifier: MIT
#include "engine/store/polling_view.h"

#include "engine/contract/errors.h"

#include <QTest>

#include <map>

using namespace lockboard;
using namespace std::chrono_literals;

namespace {

//! A store that can be asked for its locks and does nothing else, and what a view tells of it.
class Watched final {
public:
    Watched()
    {
        QObject::connect(view.get(), &LiveView::snapshotStarted, view.get(),
                         [this] { said += "begin "; });
        QObject::connect(view.get(), &LiveView::snapshotBatch, view.get(),
                         [this](const LockBatch& batch) {
                             for (const Lock& lock : batch)
                                 said += lock.key + ' ';
                         });
        QObject::connect(view.get(), &LiveView::snapshotCompleted, view.get(),
                         [this] { said += "end "; });
        QObject::connect(view.get(), &LiveView::changed, view.get(),
                         [this](const ChangeBatch& changes) {
                             std::map<std::string, std::string> sorted;
                             for (const LockChange& change : changes)
                                 sorted[change.lock.key] = name(change.kind);
                             for (const auto& [key, kind] : sorted)
                                 said += kind + ':' + key + ' ';
                         });
        QObject::connect(view.get(), &LiveView::stateChanged, view.get(),
                         [this](const SourceState& now) { state = now; });
    }

    void put(const std::string& key, const Owner& owner, std::optional<TimePoint> end = {})
    {
        locks[key] = Lock(key, owner, end);
    }
    //! Lets it look, and gives what it has told since.
    std::string afterwards(Duration time = 1000ms)
    {
        clock.advance(time);
        QTest::qWait(50); // changes are told in batches, by the real time
        return std::exchange(said, {});
    }

    ManualClock clock;
    std::map<std::string, Lock> locks;
    std::exception_ptr problem;
    int asked = 0;
    SourceState state;
    std::string said;
    std::unique_ptr<PollingView> view =
        std::make_unique<PollingView>(clock, [this] { return list(); });

private:
    Task<LockBatch> list()
    {
        ++asked;
        if (problem)
            return failed<LockBatch>(problem);
        LockBatch all;
        for (const auto& [key, lock] : locks)
            all.push_back(lock);
        return ready(all);
    }
    static std::string name(ChangeKind kind)
    {
        switch (kind) {
        case ChangeKind::Acquired:
            return "acquired";
        case ChangeKind::Extended:
            return "extended";
        case ChangeKind::OwnerChanged:
            return "owner";
        case ChangeKind::Released:
            return "released";
        case ChangeKind::Expired:
            return "expired";
        }
        return {};
    }
};

} // namespace

//! What an author of a provider gets for a list() alone.
class TestPollingView final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void tellsAllAndThenWhatDiffers();
    void tellsAnotherGrantFromALongerLease();
    void doesNotTellTheJitterOfAReading();
    void looksWhenALeaseMustHaveEnded();
    void saysThatItFails();
    void looksAtOnceWhenAsked();
    void fallsSilentWithItsProvider();
};

void TestPollingView::tellsAllAndThenWhatDiffers()
{
    Watched store;
    store.put("a", "ann");
    store.put("b", std::nullopt);
    store.view->start();
    QCOMPARE(store.afterwards(0ms), "begin a b end ");
    QCOMPARE(store.state.kind, SourceState::Live);
    QCOMPARE(store.state.mode, QStringLiteral("polling"));
    QCOMPARE(store.afterwards(), "");
    store.locks.erase("a");
    store.put("b", "bob");
    store.put("c", "cis");
    QCOMPARE(store.afterwards(), "released:a owner:b acquired:c ");
    QCOMPARE(store.afterwards(), "");
}

void TestPollingView::tellsAnotherGrantFromALongerLease()
{
    Watched store;
    store.put("a", "ann", store.clock.now() + 10s);
    store.put("t", "ann", store.clock.now() + 10s);
    store.locks["t"].token = 1;
    store.view->start();
    store.afterwards(0ms);
    store.put("a", "ann", store.clock.now() + 20s);
    store.put("t", "ann", store.clock.now() + 20s);
    store.locks["t"].token = 2;
    QCOMPARE(store.afterwards(), "extended:a owner:t ");
    store.put("a", "ann");
    QCOMPARE(store.afterwards(), "extended:a ");
}

void TestPollingView::doesNotTellTheJitterOfAReading()
{
    Watched store;
    const TimePoint end = store.clock.now() + 60s;
    store.put("a", "ann", end);
    store.view->start();
    store.afterwards(0ms);
    // It may not creep either: what counts is what was told.
    for (const Duration off : {100ms, -200ms, 300ms, 400ms, 500ms}) {
        store.put("a", "ann", end + off);
        QCOMPARE(store.afterwards(), "");
    }
    store.put("a", "ann", end + 501ms);
    QCOMPARE(store.afterwards(), "extended:a ");
}

void TestPollingView::looksWhenALeaseMustHaveEnded()
{
    Watched store;
    store.put("a", "ann", store.clock.now() + 300ms);
    store.view->start();
    store.afterwards(0ms);
    store.locks.clear();
    QCOMPARE(store.afterwards(350ms), "expired:a ");
}

void TestPollingView::saysThatItFails()
{
    Watched store;
    store.problem = std::make_exception_ptr(Denied("No."));
    store.view->start();
    QCOMPARE(store.afterwards(0ms), "");
    QCOMPARE(store.state.kind, SourceState::Failed);
    QVERIFY(store.state.denied);
    store.problem = nullptr;
    store.put("a", "ann");
    QCOMPARE(store.afterwards(), "begin a end ");
    QCOMPARE(store.state.kind, SourceState::Live);

    store.problem = std::make_exception_ptr(Unavailable("Gone."));
    QCOMPARE(store.afterwards(), "");
    QCOMPARE(store.state.kind, SourceState::Stale);
    QCOMPARE(store.state.why, QStringLiteral("Gone."));
    const int before = store.asked;
    store.afterwards(120s);
    QVERIFY2(store.asked - before <= 8, "it is asked ever more rarely");
    store.problem = nullptr;
    store.put("b", "bob");
    QCOMPARE(store.afterwards(30s), "acquired:b ");
    QCOMPARE(store.state.kind, SourceState::Live);
}

void TestPollingView::looksAtOnceWhenAsked()
{
    Watched store;
    store.view->start();
    store.afterwards(0ms);
    store.put("a", "ann");
    store.view->refresh();
    QCOMPARE(store.afterwards(0ms), "acquired:a ");
}

void TestPollingView::fallsSilentWithItsProvider()
{
    Watched store;
    store.view->start();
    store.afterwards(0ms);
    store.view->abandon();
    QCOMPARE(store.state.kind, SourceState::Failed);
    store.put("a", "ann");
    store.view->refresh();
    const int asked = store.asked;
    QCOMPARE(store.afterwards(10s), "");
    QCOMPARE(store.asked, asked);
}

QTEST_GUILESS_MAIN(TestPollingView)
#include "tst_polling_view.moc"
