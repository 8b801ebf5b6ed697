// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"
#include "engine/redis/view/lock_reader.h"
#include "engine/redis/wire/scan.h"

#include <QPointer>

#include <map>
#include <set>
#include <unordered_set>

namespace lockboard::redis {

class Provider;

//! The locks of one Redis, page by page with SCAN, then kept live: by what this process does
//! itself, at once; by the names that the server pushes, read again; and by a timer for the next
//! lease that ends, since Redis tells of none in time. All are looked at again when push begins,
//! and every half minute, since not all is pushed; without push every second. Whatever takes long
//! is done less often: every ten times as long.
class View final : public LiveView {
    Q_OBJECT

public:
    explicit View(Provider& provider);
    ~View() override;

    //! The provider is going away.
    void detach();

    // What this process has just done; keys without the namespace.
    void noteHeld(const std::string& key, const std::string& value,
                  std::optional<TimePoint> leaseEnd);
    void noteGone(const std::string& key);
    void noteChanged(std::vector<std::string> keys);
    void onWarningsChanged();

protected:
    void doStart() override;
    void doRefresh() override;

private:
    //! Two looks at one lease differ by this much though nobody has touched it.
    static constexpr Duration noise = std::chrono::milliseconds(50);
    static constexpr Duration shortestPoll = std::chrono::seconds(1);
    static constexpr Duration safetyPoll = std::chrono::seconds(30);
    static constexpr TimePoint never = TimePoint::max();
    static constexpr std::int64_t noTick = -1;
    enum class Phase : std::uint8_t {
        Off, // not started, not connected, or the provider is gone
        Snapshot,
        Watching, // between scans
        Rescan,
    };
    struct Known {
        std::string value; // of another type: its name
        TimePoint leaseEnd = never; // as it was said to the watchers
        std::int64_t tick = noTick; // when to see whether it has ended: a slot of m_due
        std::uint32_t place = 0; // in that slot
        std::uint32_t seen = 0; // by which scan, or since
        LockState state = LockState::Held;
        Note note;
    };
    //! A server that keeps locks, and how far it has been scanned.
    struct Source {
        Source(Connection* connection, const Scan& walk)
            : server(connection)
            , scan(walk)
        {
        }
        QPointer<Connection> server;
        Scan scan;
        bool scanning = false; // SCAN is under way
        bool exhausted = false; // and will give no more
    };
    using Locks = std::unordered_map<std::string, Known>;

    void onReady();
    void onUnavailable();
    //! Something may have changed unheard: all is to be looked at once more.
    void lookAtAll();
    void onPushLost();
    //! With what is to be said of the source whatever its state.
    void say(SourceState state);
    void sayLive();
    void sayHidden();
    void begin(Phase phase);
    void abandon();
    void fail(const std::exception_ptr& problem);
    Task<void> scanAll(std::uint32_t scan);
    Task<void> scanOn(std::uint32_t scan, std::size_t source);
    [[nodiscard]] bool isExhausted() const;
    void makeRoom(std::int64_t databaseSize, std::size_t found);
    Task<void> readPage(std::uint32_t scan, std::vector<std::string> keys);
    void takePage(Page page);
    void bound(Entry& entry);
    void sweep();
    void finishScan();
    //! Looks at these again, a page or two at a time.
    void lookAgain(std::vector<std::string> keys);
    void sendRereads();
    Task<void> reread(std::vector<std::string> keys);
    void takeReread(Page page);

    //! Whether anything is to be said: the lock was unknown or has changed.
    std::optional<ChangeKind> update(Locks::iterator it, bool isNew, std::string_view value,
                                     LockState state, TimePoint earliestEnd, TimePoint latestEnd,
                                     const Note& note = {});
    std::optional<ChangeKind> update(Locks::iterator it, bool isNew, const Entry& entry,
                                     const Page& page);
    void remove(Locks::iterator it, ChangeKind why);
    void setCheck(Locks::iterator it, TimePoint when);
    void watchLeases();
    void checkLeases();
    void pollAfter(Duration pause);
    [[nodiscard]] Lock lockOf(Locks::const_iterator it) const;
    [[nodiscard]] bool isSnapshotting() const { return m_phase == Phase::Snapshot; }

    Provider* m_provider;
    Clock& m_clock;
    Phase m_phase = Phase::Off;
    bool m_started = false;
    bool m_complete = false; // one snapshot was completed
    Locks m_locks;
    // Leases by when to look at them: slots of some milliseconds each, so that a million cost
    // little.
    std::map<std::int64_t, std::vector<Locks::value_type*>> m_due;
    std::set<std::string> m_touched; // changed by us during a snapshot: to look at after it
    std::unordered_set<std::string> m_toReread;
    int m_rereads = 0; // pages of it under way

    // One scan, counted up.
    std::uint32_t m_scan = 0;
    TimePoint m_scanBegan;
    std::vector<Source> m_sources;
    double m_expected = 0; // locks
    int m_pages = 0; // being read
    bool m_onceMore = false; // right after it
    std::size_t m_seen = 0;
    std::size_t m_bucket = 0; // how far the sweep has come
    std::size_t m_buckets = 0;
    std::vector<std::string> m_vanished;

    std::size_t m_longBytes = 0; // of owners of unusual length that were kept since it began
    std::uint64_t m_tooLong = 0; // keys of this scan that are too long to be read
    std::string m_denied; // a key of this scan that the user may not read
    QString m_hidden; // what to say of such

    Clock::TimerId m_pollTimer = 0;
    Clock::TimerId m_leaseTimer = 0;
    std::int64_t m_leaseTimerTick = 0;
};

} // namespace lockboard::redis
