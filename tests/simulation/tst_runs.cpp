// SPDX-License-Identifier: MIT
#include "engine/store/planted_fault.h"
#include "tests/simulation/simulation.h"

#include <QElapsedTimer>
#include <QTest>

using namespace lockboard;
using namespace lockboard::test;
using namespace std::chrono_literals;

Q_DECLARE_METATYPE(lockboard::PlantedFault)

//! Random calls under random faults, on a clock of their own: the promises of the contract hold in
//! every run, and the checks find each fault that is planted. LOCKBOARD_SEED=N replays one run and
//! prints it; LOCKBOARD_SEEDS=N makes so many.
class TestSimulation final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void cleanup() { plantedFault = PlantedFault::None; }
    void keepsItsPromises();
    void replaysTheSame();
    void findsWhatIsPlanted_data();
    void findsWhatIsPlanted();
};

static std::uint64_t numberFrom(const char* variable, std::uint64_t otherwise)
{
    bool ok = false;
    const auto number = qEnvironmentVariable(variable).toULongLong(&ok);
    return ok ? number : otherwise;
}

static std::string describe(std::uint64_t seed, const Simulation& run)
{
    std::string text = "LOCKBOARD_SEED=" + std::to_string(seed) + '\n';
    for (const lab::Violation& violation : run.violations())
        text += violation.rule + ": " + violation.sentence + '\n';
    return text + run.trace();
}

void TestSimulation::keepsItsPromises()
{
    const std::uint64_t only = numberFrom("LOCKBOARD_SEED", 0);
    if (only > 0) {
        Simulation run(only);
        run.run();
        qInfo("%s", describe(only, run).c_str());
        QVERIFY(run.violations().empty());
        return;
    }
    const std::uint64_t seeds = numberFrom("LOCKBOARD_SEEDS", DEFAULT_SEEDS);
    RareStates reached;
    std::map<std::string, int> broken;
    std::map<std::string, std::string> first; // of each rule
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        Simulation run(seed);
        run.run();
        reached.add(run.rareStates());
        const std::vector<lab::Violation> violations = run.violations();
        for (const lab::Violation& violation : violations) {
            if (++broken[violation.rule] == 1)
                first[violation.rule] = describe(seed, run);
        }
    }
    for (const auto& [rule, count] : broken)
        qWarning("%s: %d times, at first by\n%s", rule.c_str(), count, first[rule].c_str());
    QVERIFY(broken.empty());
    for (int i = 0; i < RareStates::Count; ++i) {
        const auto state = static_cast<RareStates::State>(i);
        qInfo("reached %s: %llu times", RareStates::nameOf(state),
              static_cast<unsigned long long>(reached.count(state)));
        QVERIFY2(reached.count(state) > 0, RareStates::nameOf(state));
    }
}

void TestSimulation::replaysTheSame()
{
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        Simulation first(seed), second(seed);
        first.run();
        second.run();
        QCOMPARE(QString::fromStdString(first.trace()), QString::fromStdString(second.trace()));
    }
}

void TestSimulation::findsWhatIsPlanted_data()
{
    QTest::addColumn<PlantedFault>("fault");
    QTest::newRow("a wake-up is lost") << PlantedFault::WakeUpLost;
    QTest::newRow("a lease is counted from the answer") << PlantedFault::DeadlineAfterRenewal;
    QTest::newRow("an unknown acquire is sent again") << PlantedFault::UnknownSentAgain;
    QTest::newRow("a ticket is left in the queue") << PlantedFault::TicketLeftBehind;
    QTest::newRow("a job starts on a lease that is over") << PlantedFault::StartsOnOldLease;
    QTest::newRow("a late grant is kept") << PlantedFault::LateGrantKept;
    QTest::newRow("a look before the queue has no bound") << PlantedFault::LateLookUnbounded;
    QTest::newRow("closing reports what was sent as cancelled") << PlantedFault::ClosingCancels;
    QTest::newRow("a loss is thrown after the release") << PlantedFault::LostAfterRelease;
    QTest::newRow("a job is not told of its loss") << PlantedFault::LossNotTold;
    QTest::newRow("what is unknown is given up") << PlantedFault::UnknownGivenUp;
    QTest::newRow("a release compares nothing") << PlantedFault::ReleaseComparesNothing;
}

void TestSimulation::findsWhatIsPlanted()
{
    QFETCH(const PlantedFault, fault);
    plantedFault = fault;
    for (std::uint64_t seed = 1; seed <= 4000; ++seed) {
        Simulation run(seed);
        run.run();
        const std::vector<lab::Violation> violations = run.violations();
        if (!violations.empty()) {
            qInfo("found by seed %llu: %s", static_cast<unsigned long long>(seed),
                  violations.front().sentence.c_str());
            return;
        }
    }
    QFAIL("4000 runs have not found it");
}

QTEST_GUILESS_MAIN(TestSimulation)
#include "tst_runs.moc"
