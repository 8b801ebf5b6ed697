// SPDX-License-Identifier: MIT
#include "app/lockboardctl/key_names.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/snapshot.h"

#include "engine/contract/seen_session.h"

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
    bool take(const Listed& listed, TimePoint now)
    {
        const auto isNamedSo = [&](const std::string& name) {
            Lock named = listed.lock;
            named.key = name;
            return m_query.matches(named);
        };
        if (!m_query.matches(listed.lock)
            && std::none_of(listed.names.begin(), listed.names.end(), isNamedSo))
            return true;
        print(listed, now);
        ++m_count;
        return !m_limit || m_count < *m_limit;
    }
    virtual void flush() { flushOutput(); }
    virtual void finish(TimePoint) { flush(); }

    [[nodiscard]] std::uint64_t count() const { return m_count; }

protected:
    virtual void print(const Listed& listed, TimePoint now) = 0;

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
    void print(const Listed& listed, TimePoint now) override
    {
        writeLine(lockObject(m_provider, listed, now));
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
    void print(const Listed& listed, TimePoint now) override
    {
        if (m_streams) {
            m_table.write(lockRow(listed, now));
            return;
        }
        m_first.push_back(listed);
        if (m_first.size() > fewest) {
            release(now);
            m_streams = true;
        }
    }

private:
    static constexpr std::size_t fewest = 10'000;

    void release(TimePoint now)
    {
        if (m_first.empty())
            return;
        std::stable_sort(m_first.begin(), m_first.end(), [](const Listed& a, const Listed& b) {
            return a.sortKey() < b.sortKey();
        });
        const Table::Row header{QStringLiteral("KEY"), QStringLiteral("OWNER"),
                                QStringLiteral("TTL"), QStringLiteral("STATE")};
        m_table.measure(header);
        for (const Listed& listed : m_first)
            m_table.measure(lockRow(listed, now));
        m_table.write(header);
        for (const Listed& listed : m_first)
            m_table.write(lockRow(listed, now));
        m_first.clear();
    }

    Table m_table;
    std::vector<Listed> m_first;
    bool m_streams = false;
};

//! The rows of sessions, which can be told only when all of them are there: a provider lists some
//! thousand at the most.
class SessionRows final {
public:
    void add(const Lock& lock) { m_rows.emplace_back(lock).hash = listedHash(lock.key); }
    [[nodiscard]] std::set<std::uint32_t> hashes() const
    {
        std::set<std::uint32_t> hashes;
        for (const Listed& row : m_rows)
            hashes.insert(row.hash);
        return hashes;
    }
    void name(const KeyNames::Found& found)
    {
        for (Listed& row : m_rows) {
            const auto names = found.find(row.hash);
            if (names != found.end())
                row.setNames(names->second);
        }
    }
    //! Holders first, then who waits, in their order; and who waits knows who holds.
    const std::vector<Listed>& finished()
    {
        std::map<std::uint32_t, std::set<std::int64_t>> holders;
        for (const Listed& row : m_rows) {
            if (row.lock.state == LockState::Advisory)
                holders[row.hash].insert(row.lock.note.fields().pid);
        }
        for (Listed& row : m_rows) {
            if (row.lock.state == LockState::Waiting)
                row.holders = holders[row.hash];
        }
        std::stable_sort(m_rows.begin(), m_rows.end(), [](const Listed& a, const Listed& b) {
            const auto rank = [](const Listed& row) {
                return std::tuple(row.hash, row.lock.state,
                                  row.lock.note.fields().blockedBy.size());
            };
            return rank(a) < rank(b);
        });
        return m_rows;
    }

private:
    std::vector<Listed> m_rows;
};

} // namespace

Task<std::uint64_t> printLocks(Session& session, LockQuery query, Arguments arguments)
{
    std::unique_ptr<Printer> printer;
    KeyNames names(arguments);
    if (arguments.json)
        printer =
            std::make_unique<JsonPrinter>(session.provider(), std::move(query), arguments.limit);
    else
        printer =
            std::make_unique<TablePrinter>(session.provider(), std::move(query), arguments.limit);
    SessionRows sessions;
    bool more = true;
    std::function<bool(const LockBatch&)> consume = [&](const LockBatch& locks) {
        for (const Lock& lock : locks) {
            if (lock.isOfSession())
                sessions.add(lock);
            else
                more = printer->take(Listed(lock), session.now());
            if (!more)
                break;
        }
        printer->flush();
        return more;
    };
    co_await readSnapshot(session, std::move(consume));
    if (more && names.areGiven()) {
        const KeyNames::Found found = co_await names.find(session, sessions.hashes());
        sessions.name(found);
    }
    if (more) {
        for (const Listed& row : sessions.finished()) {
            if (!printer->take(row, session.now()))
                break;
        }
    }
    printer->finish(session.now());
    co_return printer->count();
}

} // namespace lockboard::ctl
