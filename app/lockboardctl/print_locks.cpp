// SPDX-License-Identifier: MIT
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/snapshot.h"

#include <algorithm>

namespace lockboard::ctl {

namespace {

class Printer {
public:
    Printer(const ProviderInfo& provider, LockQuery query, std::optional<std::uint64_t> limit)
        : m_provider(provider.id)
        , m_query(std::move(query))
        , m_limit(limit)
    {
    }
    virtual ~Printer() = default;

    //! False: that's enough.
    bool take(const LockBatch& locks, TimePoint now)
    {
        bool more = true;
        for (const Lock& lock : locks) {
            if (!m_query.matches(lock))
                continue;
            print(lock, now);
            ++m_count;
            more = !m_limit || m_count < *m_limit;
            if (!more)
                break;
        }
        flush();
        return more;
    }
    virtual void finish(TimePoint) { flush(); }

    [[nodiscard]] std::uint64_t count() const { return m_count; }

protected:
    virtual void print(const Lock& lock, TimePoint now) = 0;
    virtual void flush() { flushOutput(); }

    const std::string m_provider;

private:
    LockQuery m_query;
    std::optional<std::uint64_t> m_limit;
    std::uint64_t m_count = 0;
};

class JsonPrinter final : public Printer {
public:
    using Printer::Printer;

protected:
    void print(const Lock& lock, TimePoint now) override
    {
        writeLine(lockObject(m_provider, lock, now));
    }
};

//! Few locks are sorted and shown at the end; of many, the first ones give the widths.
class TablePrinter final : public Printer {
public:
    using Printer::Printer;

    void finish(TimePoint now) override
    {
        if (!m_streams)
            release(now);
        flush();
    }

protected:
    void print(const Lock& lock, TimePoint now) override
    {
        if (m_streams) {
            m_table.write(lockRow(lock, now));
            return;
        }
        m_first.push_back(lock);
        if (m_first.size() > fewest) {
            release(now);
            m_streams = true;
        }
    }

private:
    static constexpr qsizetype fewest = 10'000;

    void release(TimePoint now)
    {
        if (m_first.isEmpty())
            return;
        std::sort(m_first.begin(), m_first.end(),
                  [](const Lock& a, const Lock& b) { return a.key < b.key; });
        const Table::Row header{ QStringLiteral("KEY"), QStringLiteral("OWNER"),
                                 QStringLiteral("TTL"), QStringLiteral("STATE") };
        m_table.measure(header);
        for (const Lock& lock : m_first)
            m_table.measure(lockRow(lock, now));
        m_table.write(header);
        for (const Lock& lock : m_first)
            m_table.write(lockRow(lock, now));
        m_first.clear();
    }

    Table m_table;
    LockBatch m_first;
    bool m_streams = false;
};

} // namespace

Task<std::uint64_t> printLocks(Session& session, LockQuery query,
                               std::optional<std::uint64_t> limit, bool json)
{
    std::unique_ptr<Printer> printer;
    if (json)
        printer = std::make_unique<JsonPrinter>(session.provider(), std::move(query), limit);
    else
        printer = std::make_unique<TablePrinter>(session.provider(), std::move(query), limit);
    std::function<bool(const LockBatch&)> consume = [&session, &printer](const LockBatch& locks) {
        return printer->take(locks, session.now());
    };
    co_await readSnapshot(session, std::move(consume));
    printer->finish(session.now());
    co_return printer->count();
}

} // namespace lockboard::ctl
