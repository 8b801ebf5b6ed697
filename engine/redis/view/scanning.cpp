// SPDX-License-Identifier: MIT
#include "engine/redis/view/live_view.h"

#include "engine/contract/errors.h"
#include "engine/redis/locks/provider.h"

#include <algorithm>

// How the live view looks at the server: at all locks, page by page, or again at some of them.

namespace lockboard::redis {

static constexpr int pollFactor = 10;
static constexpr std::size_t sweepSlice = 5000;
static constexpr int mostRereads = 2;
static constexpr std::size_t mostToReread = 200'000;

void View::begin(Phase phase)
{
    abandon();
    m_phase = phase;
    m_scanBegan = m_clock.now();
    m_sources.clear();
    m_expected = 0;
    m_pages = 0;
    m_onceMore = false;
    m_seen = 0;
    m_buckets = 0;
    m_vanished.clear();
    m_longBytes = 0;
    m_tooLong = 0;
    m_denied.clear();
    if (isSnapshotting()) {
        flush(); // what was noted so far belongs to the time before the snapshot
        m_touched.clear();
        m_toReread.clear();
        Q_EMIT snapshotStarted();
    } else {
        watchLeases();
    }
    letRun(scanAll(m_scan));
}

Task<void> View::scanAll(std::uint32_t scan)
{
    const QPointer<View> self(this);
    co_await m_provider->client().refresh();
    if (!self || scan != m_scan)
        co_return;
    for (Connection* const server : m_provider->client().masters())
        m_sources.emplace_back(server, Scan(m_provider->keyspace(), m_provider->scanPattern()));
    if (m_sources.empty()) {
        const auto problem = m_provider->client().problem();
        fail(problem ? problem
                     : std::make_exception_ptr(
                         Unavailable("It is not known which servers keep the locks.")));
        pollAfter(shortestPoll);
        co_return;
    }
    for (std::size_t i = 0; i < m_sources.size(); ++i) {
        letRun(scanOn(scan, i));
        if (!self || scan != m_scan)
            co_return;
    }
}

Task<void> View::scanOn(std::uint32_t scan, std::size_t index)
{
    // A snapshot wants to be quick; later scans let the others' commands through.
    const int mostPages = isSnapshotting() ? 4 : 2;
    const QPointer<View> self(this);
    m_sources[index].scanning = true;
    try {
        while (!m_sources[index].exhausted && m_pages < mostPages) {
            Connection* const server = m_sources[index].server;
            if (!server) { // it has left the cluster: others have its locks now
                m_onceMore = true;
                m_sources[index].exhausted = true;
                break;
            }
            const std::string name = server->endpoint().name();
            const bool isFirst = m_sources[index].scan.isFirst();
            Calls calls(*server, Effect::Reads);
            calls.limit(Scan::limits(), Scan::limits().bytes);
            calls.send(m_sources[index].scan.command());
            if (isFirst)
                calls.send(Command("DBSIZE"));
            const std::vector<Reply> replies = co_await calls.answers();
            if (!self || scan != m_scan)
                co_return;
            Scan& walk = m_sources[index].scan;
            if (isFirst)
                walk.expect(replies.back(), name);
            const std::uint64_t tooLong = walk.tooLong();
            std::vector<std::string> keys = walk.take(replies.front(), name);
            m_tooLong += walk.tooLong() - tooLong;
            m_sources[index].exhausted = walk.isOver();
            if (isFirst && isSnapshotting()) // 0 if that is forbidden
                makeRoom(replies.back().integer(), keys.size());
            if (!keys.empty()) {
                ++m_pages;
                letRun(readPage(scan, std::move(keys)));
                if (!self || scan != m_scan)
                    co_return;
            }
        }
    } catch (const LockError&) {
        if (self && scan == m_scan && m_provider) {
            fail(std::current_exception());
            pollAfter(shortestPoll); // the connection stands: it may go better then
        }
        co_return;
    }
    m_sources[index].scanning = false;
    if (isExhausted() && m_pages == 0)
        sweep();
}

bool View::isExhausted() const
{
    return std::all_of(m_sources.begin(), m_sources.end(),
                       [](const Source& source) { return source.exhausted; });
}

//! Growing a table of a million step by step would stop the event loop for a tenth of a second.
void View::makeRoom(std::int64_t databaseSize, std::size_t found)
{
    constexpr double most = 4'000'000;
    const double share = std::min(1.0, 1.25 * static_cast<double>(found) / Provider::pageSize);
    m_expected = std::min(m_expected + static_cast<double>(databaseSize) * share, most);
    if (m_expected > static_cast<double>(m_locks.size()))
        m_locks.reserve(static_cast<std::size_t>(m_expected));
}

Task<void> View::readPage(std::uint32_t scan, std::vector<std::string> keys)
{
    const QPointer<View> self(this);
    try {
        Page page = co_await readLocks(&m_provider->client(), &m_clock, std::move(keys),
                                       m_provider->notes().areKept());
        if (!self || scan != m_scan)
            co_return;
        Page others = page.otherTypes();
        takePage(std::move(page));
        if (!others.entries.empty()) {
            page = co_await nameTypes(&m_provider->client(), &m_clock, std::move(others));
            if (!self || scan != m_scan)
                co_return;
            takePage(std::move(page));
        }
    } catch (const LockError&) {
        if (self && scan == m_scan && m_provider) {
            fail(std::current_exception());
            pollAfter(shortestPoll);
        }
        co_return;
    }
    --m_pages;
    if (isExhausted() && m_pages == 0) {
        sweep();
        co_return;
    }
    for (std::size_t i = 0; i < m_sources.size(); ++i) {
        if (!m_sources[i].exhausted && !m_sources[i].scanning)
            letRun(scanOn(scan, i));
        if (!self || scan != m_scan)
            co_return;
    }
}

//! Few owners can be long, and not all of them: a million would not be shown but swallowed.
void View::bound(Entry& entry)
{
    constexpr std::size_t usual = 1024;
    constexpr std::size_t most = std::size_t(24) << 20;
    if (entry.kind != Entry::Lock || entry.value.size() <= usual)
        return;
    m_longBytes += entry.value.size();
    if (m_longBytes <= most)
        return;
    m_longBytes -= entry.value.size();
    entry.kind = Entry::TooLong;
    entry.value = "a string of " + std::to_string(entry.value.size())
        + " bytes, too long for an owner beside so many others that long";
    entry.note = Note();
}

void View::takePage(Page page)
{
    LockBatch batch;
    for (Entry& entry : page.entries) {
        bound(entry);
        if (entry.kind == Entry::Denied)
            m_denied = entry.key;
        const bool unnamed = entry.kind == Entry::OtherType && entry.value.empty();
        if (entry.kind == Entry::Absent || entry.kind == Entry::Denied || unnamed)
            continue;
        const auto [it, isNew] = m_locks.try_emplace(std::string(m_provider->lockKey(entry.key)));
        if (!isNew && it->second.seen == m_scan)
            continue; // SCAN may give a key twice
        it->second.seen = m_scan;
        ++m_seen;
        const auto change = update(it, isNew, entry, page);
        if (isSnapshotting())
            batch.push_back(lockOf(it));
        else if (change)
            note(*change, lockOf(it));
    }
    if (!batch.isEmpty())
        Q_EMIT snapshotBatch(batch);
}

//! Looks for locks that the scan did not see, in slices.
void View::sweep()
{
    if (m_seen == m_locks.size()) {
        finishScan();
        return;
    }
    if (m_buckets != m_locks.bucket_count()) {
        m_buckets = m_locks.bucket_count(); // grown in between: once more
        m_bucket = 0;
        m_vanished.clear();
    }
    const std::size_t end = std::min(m_bucket + sweepSlice, m_buckets);
    for (; m_bucket < end; ++m_bucket) {
        for (auto it = m_locks.cbegin(m_bucket); it != m_locks.cend(m_bucket); ++it) {
            if (it->second.seen != m_scan)
                m_vanished.push_back(it->first);
        }
    }
    if (isSnapshotting()) {
        for (const std::string& key : m_vanished) { // the snapshot has told the watchers
            const auto it = m_locks.find(key);
            setCheck(it, never);
            m_locks.erase(it);
        }
        m_vanished.clear();
    }
    if (m_bucket == m_buckets) {
        finishScan();
        return;
    }
    const auto more = [this, scan = m_scan] {
        if (scan == m_scan)
            sweep();
    };
    QMetaObject::invokeMethod(this, more, Qt::QueuedConnection);
}

void View::finishScan()
{
    const auto took = std::chrono::ceil<Duration>(m_clock.now() - m_scanBegan);
    const bool first = isSnapshotting();
    m_phase = Phase::Watching;
    if (m_onceMore)
        pollAfter(Duration(0));
    else
        pollAfter(
            std::max(m_provider->push().isLive() ? safetyPoll : shortestPoll, took * pollFactor));
    watchLeases();
    // Not seen is not yet gone: a key that is made anew during a scan may escape it.
    std::vector<std::string> unsure = std::exchange(m_vanished, {});
    unsure.insert(unsure.end(), m_touched.begin(), m_touched.end());
    m_touched.clear();
    sayHidden();
    if (first) {
        m_complete = true;
        Q_EMIT snapshotCompleted();
    }
    sayLive();
    lookAgain(std::move(unsure));
}

//! SCAN names keys that the user may not read.
void View::sayHidden()
{
    QString hidden;
    if (!m_denied.empty())
        hidden = tr("Not all locks are shown: Redis does not permit this user to read some keys of "
                    "the namespace, such as \"%1\".")
                     .arg(QString::fromStdString(printable(m_provider->lockKey(m_denied))));
    if (m_tooLong > 0) {
        if (!hidden.isEmpty())
            hidden += QLatin1Char(' ');
        hidden += tr("%n key(s) of the namespace are too long to be shown.", nullptr,
                     static_cast<int>(std::min<std::uint64_t>(m_tooLong, 1'000'000)));
    }
    if (m_hidden.isEmpty() && !hidden.isEmpty())
        m_provider->warn(hidden.toStdString());
    m_hidden = hidden;
}

void View::lookAgain(std::vector<std::string> keys)
{
    // To look at everything is cheaper than to look at so many, one by one.
    if (m_toReread.size() > mostToReread) {
        m_toReread.clear();
        lookAtAll();
        return;
    }
    for (std::string& key : keys)
        m_toReread.insert(std::move(key));
    sendRereads();
}

void View::sendRereads()
{
    while (m_rereads < mostRereads && !m_toReread.empty()) {
        std::vector<std::string> page;
        while (page.size() < Provider::pageSize && !m_toReread.empty()) {
            page.push_back(m_provider->stored(*m_toReread.begin()));
            m_toReread.erase(m_toReread.begin());
        }
        ++m_rereads;
        letRun(reread(std::move(page)));
    }
}

Task<void> View::reread(std::vector<std::string> keys)
{
    const QPointer<View> self(this);
    const auto wanted = [&self] {
        return self && self->m_phase != Phase::Off && !self->isSnapshotting();
    };
    try {
        Page page = co_await readLocks(&m_provider->client(), &m_clock, std::move(keys),
                                       m_provider->notes().areKept());
        if (wanted()) {
            Page others = page.otherTypes();
            takeReread(std::move(page));
            if (!others.entries.empty()) {
                page = co_await nameTypes(&m_provider->client(), &m_clock, std::move(others));
                if (wanted())
                    takeReread(std::move(page));
            }
        }
    } catch (const LockError&) {
        // The connection is lost, and a new snapshot follows; or the next scan meets it too.
    }
    if (!self)
        co_return;
    --m_rereads;
    if (wanted())
        sendRereads();
}

void View::takeReread(Page page)
{
    for (Entry& entry : page.entries) {
        bound(entry);
        const std::string key(m_provider->lockKey(entry.key));
        if (entry.kind == Entry::OtherType && entry.value.empty())
            continue;
        if (entry.kind == Entry::Absent || entry.kind == Entry::Denied) {
            const auto it = m_locks.find(key);
            if (it == m_locks.end())
                continue;
            const bool due =
                it->second.leaseEnd != never && it->second.leaseEnd <= page.answered + noise;
            remove(it, due ? ChangeKind::Expired : ChangeKind::Released);
            continue;
        }
        const auto [it, isNew] = m_locks.try_emplace(key);
        if (it->second.seen != m_scan) {
            it->second.seen = m_scan;
            ++m_seen;
        }
        if (const auto change = update(it, isNew, entry, page))
            note(*change, lockOf(it));
    }
    watchLeases();
}

} // namespace lockboard::redis
