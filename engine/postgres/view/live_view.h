// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/live_view.h"
#include "engine/postgres/view/copied_row.h"
#include "engine/postgres/view/rows.h"
#include "engine/postgres/view/session_lock.h"

#include <unordered_set>

namespace lockboard::postgres {

class Provider;

//! The rows of the table, by COPY, and the advisory locks of Medusa's executes; then kept live: by
//! what this process does itself and what the server notifies, read again; by a timer for the next
//! lease that ends; and by looking at all again every second, less often while nothing changes and
//! where it takes long, and twice a minute where a trigger notifies of all changes.
class View final : public LiveView {
    Q_OBJECT

public:
    explicit View(Provider& provider);
    ~View() override;

    //! The provider is going away.
    void detach();
    //! Somebody may have changed these.
    void noteChanged(const std::vector<std::string>& keys);
    //! Anybody may have changed anything.
    void noteAllChanged();
    void onWarningsChanged();
    //! The key that Medusa would lock by this hash, if one is known, else `advisory:HASH`.
    [[nodiscard]] std::string nameOf(std::uint32_t hash) const;

protected:
    void doStart() override;
    void doRefresh() override;

private:
    static constexpr Duration shortestPause = std::chrono::seconds(1);
    //! So that a burst of changes is read at once.
    static constexpr Duration coalescing = std::chrono::milliseconds(10);
    using Id = Rows::Id;
    enum class Phase : std::uint8_t {
        Off, // not started, not connected, or the provider is gone
        Snapshot,
        Watching, // between readings
        Rereading, // all of it
    };
    //! An advisory lock, and how it was said to the watchers.
    struct Shown {
        SessionLock session;
        Lock lock;
        bool isShown = false;
        bool isForeign = false; // no Lockboard's
        int looks = 1;
        std::uint32_t tellingScan = 0; // which would have found its row, if it has one
    };
    using Sessions = std::map<std::pair<std::uint64_t, std::int64_t>, Shown>;

    void onReady();
    void onUnavailable(const std::exception_ptr& problem);
    void onSessionChanged();
    //! With what is to be said of the source whatever its state.
    void say(SourceState state);
    void sayLive();
    void fail(const std::exception_ptr& problem);
    void abandon();
    [[nodiscard]] bool isPushed() const;

    // Looking at all of it.
    void begin(Phase phase);
    Task<void> readAll(std::uint32_t scan, bool withRows);
    //! Advisory locks, and what time it is.
    void takeLook(const Result& result, TimePoint sentAt, bool withRows);
    TimePoint noteTime(double server, TimePoint sentAt);
    void takeLine(std::string_view line);
    void sweep();
    void finishReading();
    void poll();
    void pollAfter(Duration pause);
    void pollLater(bool changed, std::chrono::nanoseconds took);
    //! So that reading takes no more than its part of the time.
    [[nodiscard]] Duration pauseAfter(std::chrono::nanoseconds took, int factor) const;

    // Looking at some rows.
    void readSoon();
    Task<void> readSome(std::uint32_t scan);
    void takeSome(const std::vector<std::string>& keys, const Result& result, TimePoint sentAt);
    void watchLeases();

    //! A row as it was just read.
    void take(Id id, std::string_view owner, bool owned, std::int64_t expiration,
              bool mayHaveToken);
    void remove(Id id);
    void showResidue();
    void say(ChangeKind kind, Id id);
    void flushBatch();
    [[nodiscard]] Lock lockOf(const Row& row) const;

    // Advisory locks (postgres_live_view_sessions.cpp).
    [[nodiscard]] static Sessions sessionsIn(const Result& result, double serverNow, TimePoint now);
    void showSessions();
    [[nodiscard]] bool isLockboards(const SessionLock& session) const;
    [[nodiscard]] bool hasRow(const Shown& shown) const;
    [[nodiscard]] bool isToBeShown(const Shown& shown) const;
    // Locks of Lockboards' without a row: in a snapshot, whether they are is looked at twice.
    [[nodiscard]] bool isOrphan(const Shown& shown) const;
    [[nodiscard]] bool hasOrphans() const;
    void keepOrphansOf(const Result& result, TimePoint sentAt);
    void remember(std::string_view key, std::uint32_t hash);

    [[nodiscard]] bool isSnapshotting() const { return m_phase == Phase::Snapshot; }

    Provider* m_provider;
    Clock& m_clock;
    Phase m_phase = Phase::Off;
    bool m_started = false;
    bool m_complete = false; // one snapshot was completed
    Rows m_rows;
    LockBatch m_batch; // of a snapshot
    std::vector<Id> m_ended; // whose end was just said
    std::unordered_set<std::string> m_toRead; // keys to be looked at again
    bool m_reading = false; // some of them, or all
    bool m_onceMore = false; // all of it, right after this
    bool m_isOverdue = false; // a look, which waits for this

    Sessions m_sessions;
    Sessions m_looked; // as they were just read
    std::unordered_map<std::uint32_t, std::string> m_names; // of keys that were here once
    bool m_sessionsHidden = false;
    bool m_hasTrigger = false;

    std::uint32_t m_scan = 0; // counted up: what belongs to an earlier one is dropped
    std::chrono::nanoseconds m_roundTrip = std::chrono::nanoseconds::max();
    std::chrono::nanoseconds m_took{0}; // without what it was under way
    TimePoint m_sweepBegan;
    TimePoint m_readAt; // the latest answer came
    std::int64_t m_serverNow = 0; // when it began, by the server's clock
    Duration m_serverAhead{0}; // of our clock
    Duration m_rowsAhead{0}; // the same when all rows were read last
    Duration m_vagueness{0}; // of that
    bool m_timeMoved = false; // since then
    std::size_t m_seen = 0;
    Id m_swept = 0;
    bool m_changed = false; // in this look
    CopiedRow::Buffers m_unescaped;
    bool m_isGarbled = false; // what was copied

    Duration m_pause; // between looks
    TimePoint m_rowsDue; // to be read again, all of them
    TimePoint m_rowsSoonest; // the same if there are news
    Clock::TimerId m_pollTimer = 0;
    Clock::TimerId m_readTimer = 0;
    Clock::TimerId m_leaseTimer = 0;
    TimePoint m_leaseTimerDue;
};

} // namespace lockboard::postgres
