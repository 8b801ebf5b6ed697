// SPDX-License-Identifier: MIT
#pragma once

#include "engine/lab/checker.h"
#include "tests/simulation/scripted_store.h"
#include "tests/simulation/simulated_clock.h"

#include <array>
#include <map>
#include <set>

namespace lockboard::test {

//! What a campaign must have reached at least once, or it has shown nothing.
class RareStates final {
public:
    enum State : std::uint8_t {
        ReplyLostAfterGrant,
        RenewalInFlightAtLeaseEnd,
        TakeoverWhileWaiterGivesUp,
        ClosingWithQuestionInFlight,
        SilenceBeyondPatience,
        GrantAfterItsLease,
        LateGrantOfNamedOwner,
        Count
    };
    static const char* nameOf(State state);

    void reach(State state) { ++m_counts[state]; }
    [[nodiscard]] std::uint64_t count(State state) const { return m_counts[state]; }
    void add(const RareStates& other);

private:
    std::array<std::uint64_t, Count> m_counts{};
};

//! One run of random calls of several processes over one server of locks, with lines that die,
//! answers that are lost, late or never come, a server that pauses, operators who take locks away,
//! and providers that are closed. The seed decides it all; the calls, the lines, the faults and the
//! tuning each draw from a stream of their own.
class Simulation final {
public:
    explicit Simulation(std::uint64_t seed);
    ~Simulation();

    void run();

    [[nodiscard]] const lab::History& history() const { return m_history; }
    [[nodiscard]] std::vector<lab::Violation> violations() const;
    [[nodiscard]] const RareStates& rareStates() const { return m_rare; }
    //! Of all that happened; the same for the same seed.
    [[nodiscard]] std::string trace() const;

private:
    class Random;
    struct Process;
    struct CallState;

    void tune();
    [[nodiscard]] Fate drawFate(Process& process, Verb verb, const LockKeys& keys);
    void scheduleFaults();
    void scheduleCalls();
    void closeProcess(Process& process);
    void makeCall(Process& process);
    void makeAcquire(Process& process);
    void makeExecute(Process& process);
    Task<void> acquire(Process* process, int number, AcquireOptions options);
    Task<void> execute(Process* process, int number, ExecuteOptions options, Duration work,
                       bool obeys);
    Task<void> job(int number, Duration work, bool obeys, std::stop_token lost, Grant grant);
    Task<void> release(int number);
    void requestStop(int number);
    void end(int number, std::optional<ErrorCode> error);
    //! Stops the calls of the same owner that are under way; false: there are some yet.
    [[nodiscard]] bool mayRelease(int number);
    [[nodiscard]] bool isAbandoned(const Owner& owner) const;
    void removeAbandoned();
    void drain();

    SimulatedClock m_clock;
    ScriptedServer m_server;
    Resumer m_resumer;
    std::unique_ptr<Random> m_tuning, m_callsRandom, m_lines, m_faultsRandom;
    std::vector<std::unique_ptr<Process>> m_processes;
    std::vector<std::shared_ptr<CallState>> m_calls;
    std::map<std::string, int> m_executing; // owner of an execute: its call
    std::set<std::string> m_releasing; // owners whose release may be under way
    lab::History m_history;
    RareStates m_rare;
    std::vector<std::string> m_keys;
    TimePoint m_quiet; // faults stop then
    Duration m_patience{}; // of a store with a silent line
    int m_callCount = 0;
    double m_lossRate = 0;
    double m_slowRate = 0;
    bool m_withTokens = false;
};

} // namespace lockboard::test
