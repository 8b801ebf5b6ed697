// SPDX-License-Identifier: MIT
#include "engine/config/kinds.h"
#include "engine/module/built_in_kinds.h"
#include "engine/store/basic_provider.h"
#include "tests/support/console.h"

#include <QMessageBox>
#include <QPushButton>

#include <map>
#include <mutex>

using namespace lockboard;
using namespace lockboard::test;
using namespace Qt::StringLiterals;

namespace {

class FixedView final : public LiveView {
public:
    explicit FixedView(LockBatch locks)
        : m_locks(std::move(locks))
    {
    }

protected:
    void doStart() override
    {
        Q_EMIT snapshotStarted();
        Q_EMIT snapshotBatch(m_locks);
        Q_EMIT snapshotCompleted();
        setState(SourceState(SourceState::Live));
    }
    void doRefresh() override { doStart(); }

private:
    LockBatch m_locks;
};

//! Shows two locks that are over and one that is held, and remembers how their release was asked.
class Leftovers final : public BasicProvider {
public:
    using BasicProvider::BasicProvider;
    ~Leftovers() override { close(); }

    static std::map<std::string, bool> asked()
    {
        const std::lock_guard guard(s_mutex);
        return s_asked;
    }
    static void forget()
    {
        const std::lock_guard guard(s_mutex);
        s_asked.clear();
    }

    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options, SharedContext) override
    {
        const std::lock_guard guard(s_mutex);
        for (const std::string& key : keys)
            s_asked[key] = options.isOnlyIfOver();
        co_return ReleaseResult();
    }
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions, SharedContext) override
    {
        co_return ReleaseAllResult();
    }
    LiveViewPtr liveView() override
    {
        LockBatch locks;
        locks << Lock("over", {}, std::nullopt, LockState::Residue)
              << Lock("past", "ann", std::nullopt, LockState::Residue) << Lock("held", {})
              << Lock("kept", "ann");
        return LiveViewPtr(new FixedView(locks));
    }
    ProviderFeatures features() const override { return {}; }
    Task<CheckReport> check() override { co_return CheckReport(); }

protected:
    Task<Grant> tryAcquire(LockKeys, AcquireOptions, SharedContext) override { co_return Grant(); }
    Task<Renewal> renew(LockKeys, std::string, std::optional<Duration>) override
    {
        co_return Renewal::until({});
    }

private:
    inline static std::mutex s_mutex;
    inline static std::map<std::string, bool> s_asked;
};

} // namespace

//! What is left of a lock is removed as such, so that one that somebody took meanwhile stays.
class TestResidue final : public QObject {
    Q_OBJECT

    std::unique_ptr<Console> m_console;

    [[nodiscard]] QMessageBox* question() const
    {
        auto* asks = m_console->find<QMessageBox>("confirmation");
        return asks && asks->isVisible() ? asks : nullptr;
    }
    void ask(const QStringList& keys) const
    {
        m_console->select(keys);
        m_console->trigger("actionRelease");
        QTRY_VERIFY(question());
    }

private Q_SLOTS:
    void initTestCase()
    {
        ProviderRegistry registry = builtInKinds();
        ProviderRegistry::Kind kind;
        kind.identifier = "leftovers";
        kind.factory = [](const Container& container, const ProviderSetup&) {
            return std::make_unique<Leftovers>(container);
        };
        registry.add(kind);
        m_console = std::make_unique<Console>(
            false,
            Config::parse(R"({"providers": [{"resolve": "leftovers", "id": "shop"}]})", "test", ".",
                          registry));
        m_console->open();
        QTRY_COMPARE(m_console->keys().size(), 4);
    }
    void init() { Leftovers::forget(); }

    void removesWhatIsLeft()
    {
        ask({u"past"_s});
        QCOMPARE(question()->text(), u"Remove what is left of the lock “past”?"_s);
        const QString text = question()->informativeText();
        QVERIFY2(text.contains(u"is over"_s) && text.contains(u"“ann”"_s)
                     && text.contains(u"left alone"_s),
                 qPrintable(text));
        QVERIFY2(!text.contains(u"It is held"_s) && !text.contains(u"twice"_s), qPrintable(text));
        QCOMPARE(question()->defaultButton()->objectName(), u"cancelButton"_s);
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(Leftovers::asked(), (std::map<std::string, bool>{{"past", true}}));
    }

    void tellsTheOnesFromTheOthers()
    {
        ask({u"past"_s, u"kept"_s, u"held"_s, u"over"_s});
        QCOMPARE(question()->text(), u"Release 2 locks?"_s);
        const QString text = question()->informativeText();
        QVERIFY2(text.contains(u"2 different holders"_s) && text.contains(u"2 more are over"_s),
                 qPrintable(text));
        m_console->answer("confirmation", "confirmButton");
        const std::map<std::string, bool> wanted{
            {"held", false}, {"kept", false}, {"over", true}, {"past", true}};
        QTRY_COMPARE(Leftovers::asked(), wanted);
    }

    void asksAsEverForWhatIsHeld()
    {
        ask({u"kept"_s});
        QCOMPARE(question()->text(), u"Release the lock “kept”?"_s);
        QVERIFY(question()->informativeText().startsWith(u"It is held by “ann”."_s));
        m_console->answer("confirmation", "confirmButton");
        QTRY_COMPARE(Leftovers::asked(), (std::map<std::string, bool>{{"kept", false}}));
    }

    //! Where nothing is left of a lock that is over, whatever is there is live.
    void leavesLiveLocksAlone()
    {
        for (const Owner& owner : {Owner(), Owner("ann")}) {
            await(m_console->module->acquire("k", AcquireOptions().ownedBy(owner).at("in-memory")));
            ReleaseOptions options;
            options.ownedBy(owner).at("in-memory");
            const ReleaseResult kept =
                await(m_console->module->release("k", ReleaseOptions(options).onlyIfOver()));
            QCOMPARE(kept.left().size(), 1U);
            QCOMPARE(kept.left().front().outcome, ReleaseOutcome::NotHeld);
            QVERIFY(await(m_console->module->release("k", options)).allReleased());
        }
    }
};

QTEST_MAIN(TestResidue)
#include "test_residue.moc"
