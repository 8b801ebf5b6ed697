// SPDX-License-Identifier: MIT
#include "app/lockboardctl/rows.h"

#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/session_target.h"

#include <QJsonArray>

#include <algorithm>

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static std::optional<Duration> remaining(const Lock& lock, TimePoint now)
{
    if (!lock.leaseEnd)
        return {};
    return std::max(std::chrono::ceil<Duration>(*lock.leaseEnd - now), Duration(0));
}

static QJsonObject noteObject(const HolderNote::Fields& note)
{
    QJsonObject object{{u"pid"_s, qint64(note.pid)}};
    insertBytes(object, u"host"_s, note.host);
    insertBytes(object, u"program"_s, note.program);
    insertBytes(object, u"acquiredAt"_s, note.acquiredAt);
    if (!note.requestId.empty())
        insertBytes(object, u"requestId"_s, note.requestId);
    return object;
}

static QString wordFor(LockState state)
{
    switch (state) {
    case LockState::Held:
        return u"held"_s;
    case LockState::WrongType:
        return u"wrongType"_s;
    case LockState::Residue:
        return u"residue"_s;
    case LockState::Advisory:
        return u"advisory"_s;
    case LockState::Waiting:
        break;
    }
    return u"waiting"_s;
}

//! The server tells this user no more than the process: of any other session it knows the start.
static bool isHidden(const HolderNote::Fields& note)
{
    return note.session.empty() && !note.user.empty();
}

void Listed::setNames(std::vector<std::string> candidates)
{
    // What the list calls it is the key of a row: a candidate as well.
    if (lock.key != "advisory:" + std::to_string(hash))
        candidates.insert(candidates.begin(), lock.key);
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    if (candidates.size() == 1)
        lock.key = candidates.front();
    else
        names = std::move(candidates);
}

std::string Listed::shownKey() const
{
    std::string text;
    for (const std::string& name : names)
        text += (text.empty() ? "" : " | ") + printableStart(name);
    return names.empty() ? printable(lock.key) : text + '?';
}

//! Of a session that holds an advisory lock or waits for one.
static QJsonObject sessionObject(const Listed& listed, TimePoint now)
{
    const HolderNote::Fields& note = listed.lock.note.fields();
    QJsonObject object{{u"pid"_s, qint64(note.pid)}};
    const auto insert = [&](const QString& name, const std::string& value) {
        if (!value.empty())
            insertBytes(object, name, value);
    };
    const auto insertAge = [&](const QString& name, std::optional<TimePoint> began) {
        if (began)
            object.insert(name, qint64((now - *began) / std::chrono::milliseconds(1)));
    };
    insert(u"id"_s, note.session);
    insert(u"application"_s, note.program);
    insert(u"client"_s, note.host);
    insert(u"user"_s, note.user);
    insert(u"activity"_s, note.activity);
    insertAge(u"transactionMs"_s, note.transactionBegan);
    insertAge(u"queryMs"_s, note.queryBegan);
    QJsonArray blockers;
    for (const std::int64_t pid : note.blockedBy)
        blockers.append(qint64(pid));
    if (!blockers.isEmpty())
        object.insert(u"blockedBy"_s, blockers);
    if (isHidden(note))
        object.insert(u"hidden"_s, true);
    object.insert(u"hash"_s, qint64(listed.hash));
    object.insert(
        u"target"_s,
        QString::fromStdString(SessionTarget::textFor(note, listed.hash, listed.lock.state, now)));
    return object;
}

QJsonObject lockObject(const std::string& provider, const Listed& listed, TimePoint now)
{
    const Lock& lock = listed.lock;
    const auto ttl = remaining(lock, now);
    QJsonObject object{
        {u"provider"_s, QString::fromStdString(provider)},
        {u"owner"_s, QJsonValue()},
        {u"ttlMs"_s, ttl ? QJsonValue(qint64(ttl->count())) : QJsonValue()},
        {u"state"_s, wordFor(lock.state)},
    };
    insertBytes(object, u"key"_s, lock.key);
    if (lock.owner)
        insertBytes(object, u"owner"_s, *lock.owner);
    if (!lock.detail.empty())
        insertBytes(object, u"detail"_s, lock.detail);
    if (lock.token) // a string: a JSON number of 64 bits does not survive every reader
        object.insert(u"token"_s, QString::number(*lock.token));
    if (!listed.names.empty()) {
        QJsonArray names;
        for (const std::string& name : listed.names)
            names.append(exactText(name).value_or(QString::fromStdString(printable(name))));
        object.insert(u"names"_s, names);
    }
    if (lock.isOfSession())
        object.insert(u"session"_s, sessionObject(listed, now));
    else if (!lock.note.isEmpty())
        object.insert(u"note"_s, noteObject(lock.note.fields()));
    return object;
}

// One huge key shall not push every other line's columns off the screen.
static constexpr qsizetype widest = 60;

void Table::measure(const Row& row)
{
    m_widths.resize(std::max(m_widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
        m_widths[i] = std::max(m_widths[i], std::min(row[i].size(), widest));
}

void Table::write(const Row& row) const
{
    QString line;
    for (std::size_t i = 0; i + 1 < row.size(); ++i)
        line += row[i].leftJustified(m_widths[i] + 2);
    writeLine((line + row.back()).toStdString());
}

//! Behind many others waits who waits long: all of them on every line would be no help.
static std::string blockersText(const Listed& listed)
{
    const std::vector<std::int64_t>& blockers = listed.lock.note.fields().blockedBy;
    if (blockers.empty())
        return {};
    const auto holds = [&](std::int64_t pid) { return listed.holders.contains(pid); };
    const auto holder = std::find_if(blockers.begin(), blockers.end(), holds);
    std::string text = ", behind process ";
    text += holder == blockers.end() ? std::to_string(blockers.front())
                                     : std::to_string(*holder) + " (holder)";
    if (blockers.size() > 1)
        text += " and " + std::to_string(blockers.size() - 1) + " more";
    return text;
}

static std::string sessionText(const Listed& listed, TimePoint now)
{
    const HolderNote::Fields& note = listed.lock.note.fields();
    std::string text = "process " + std::to_string(note.pid);
    for (const std::string& fact : {note.program, note.host, note.activity}) {
        if (!fact.empty())
            text += ", " + printableStart(fact);
    }
    if (note.transactionBegan) {
        const auto age = std::chrono::ceil<std::chrono::seconds>(now - *note.transactionBegan);
        text += ", transaction " + formatDuration(std::max<Duration>(age, Duration(0))) + " old";
    }
    return text + blockersText(listed);
}

static std::string stateText(const Listed& listed, TimePoint now)
{
    const Lock& lock = listed.lock;
    switch (lock.state) {
    case LockState::Held:
        return "held";
    case LockState::WrongType:
        return "wrong type" + (lock.detail.empty() ? "" : " (" + printable(lock.detail) + ')');
    case LockState::Residue:
        return "residue (over, not cleaned up)";
    case LockState::Advisory:
        return "advisory lock: " + sessionText(listed, now);
    case LockState::Waiting:
        break;
    }
    return "waits for advisory lock: " + sessionText(listed, now);
}

//! What ends the lock, and when.
static std::string endText(const Lock& lock, TimePoint now)
{
    if (lock.state == LockState::Residue)
        return "over";
    if (lock.isOfSession())
        return "-";
    const auto ttl = remaining(lock, now);
    return ttl ? formatDuration(*ttl) : "never";
}

Table::Row lockRow(const Listed& listed, TimePoint now)
{
    const Lock& lock = listed.lock;
    return {
        QString::fromStdString(listed.shownKey()),
        QString::fromStdString(lock.owner ? printableStart(*lock.owner) : "-"),
        QString::fromStdString(endText(lock, now)),
        QString::fromStdString(stateText(listed, now)),
    };
}

} // namespace lockboard::ctl
