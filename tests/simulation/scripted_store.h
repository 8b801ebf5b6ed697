// SPDX-License-Identifier: MIT
#pragma once

#include "engine/store/basic_provider.h"

#include <map>

namespace lockboard::test {

enum class Verb : std::uint8_t { Acquire, Renew, Release };

//! What becomes of one request: when it reaches the server, and whether its answer comes back.
class Fate final {
public:
    enum Kind : std::uint8_t {
        Answered, //!< after `there`, and back after `back`
        LostBefore, //!< the line dies at once; the server never gets it
        LostAfter, //!< the server does it after `there`, and the line dies at that moment
        Silent, //!< nobody answers until the store gives up on the line; done after `there`
        NotSent, //!< there is no line
    };

    Fate() = default;
    Fate(Kind k, Duration toThere = {}, Duration andBack = {})
        : kind(k)
        , there(toThere)
        , back(andBack)
    {
    }

    Kind kind = Answered;
    Duration there{1};
    Duration back{1};
};

//! A server of locks that several stores share, with a clock that runs at a rate of its own. It can
//! be paused: what reaches it then is done when it goes on, in the order of its coming.
class ScriptedServer final {
public:
    explicit ScriptedServer(Clock& clock)
        : m_clock(clock)
        , m_start(clock.now())
    {
    }

    struct Entry {
        Owner owner;
        std::optional<TimePoint> end; // by its own clock
        FencingToken token = 0;
    };

    void setRate(double rate) { m_rate = rate; }
    void pauseUntil(TimePoint until) { m_paused = std::max(m_paused, until); }
    //! Does it at that time, or when it is no longer paused.
    void doAt(TimePoint when, std::function<void()> what);
    //! Every lock that is there now.
    [[nodiscard]] std::map<std::string, Entry> locks();
    [[nodiscard]] const Entry* find(const std::string& key);
    void remove(const std::string& key) { m_entries.erase(key); }
    void put(const std::string& key, Entry entry) { m_entries[key] = std::move(entry); }
    [[nodiscard]] FencingToken nextToken() { return ++m_token; }
    [[nodiscard]] TimePoint now() const;
    [[nodiscard]] Clock& clock() const { return m_clock; }

private:
    Clock& m_clock;
    TimePoint m_start;
    TimePoint m_paused;
    double m_rate = 1;
    std::map<std::string, Entry> m_entries;
    FencingToken m_token = 0;
};

//! A provider under test's control: waiting, execution, renewal and give-back are the base's, and
//! of every request a test chooses what becomes of it. Locks without owner are exclusive.
class ScriptedStore final : public BasicProvider {
public:
    using Choose = std::function<Fate(Verb, const LockKeys&)>;

    //! `silence`: how long it waits for an answer before it gives the line up.
    ScriptedStore(ScriptedServer& server, const Container& container, Duration silence);
    ~ScriptedStore() override;

    //! None: all are answered at once.
    Choose choose;
    bool hasTokens = false;
    //! What was asked and what came of it: 'granted', 'renewed', ... for a test to look at.
    std::function<void(Verb, const std::string& owner, const std::string& what,
                       std::optional<TimePoint> leaseEnd)>
        observe;

    //! Tells who waits that a key was changed.
    void tell(const std::string& key) { hint(key); }
    void tellFree(const std::string& key) { wake(key); }
    [[nodiscard]] bool hasOpenRequests() const { return !m_open.empty(); }
    [[nodiscard]] bool hasOpen(Verb verb) const;

    Task<ReleaseResult> release(LockKeys keys, ReleaseOptions options,
                                SharedContext context) override;
    Task<ReleaseAllResult> releaseAll(ReleaseAllOptions options, SharedContext context) override;
    [[nodiscard]] LiveViewPtr liveView() override { return nullptr; }
    [[nodiscard]] ProviderFeatures features() const override
    {
        ProviderFeatures all;
        all.fencingTokens = hasTokens;
        return all;
    }
    [[nodiscard]] Task<CheckReport> check() override { co_return CheckReport(); }

protected:
    Task<Grant> tryAcquire(LockKeys keys, AcquireOptions options, SharedContext context) override;
    Task<Renewal> renew(LockKeys keys, std::string owner, std::optional<Duration> lease) override;

private:
    class Exchange;
    class Asking;

    std::shared_ptr<Exchange> ask(Verb verb, const LockKeys& keys, std::function<void()> what);
    void loseLine();

    ScriptedServer& m_server;
    Duration m_silence;
    std::vector<std::shared_ptr<Exchange>> m_open; // in the order of their sending
};

} // namespace lockboard::test
