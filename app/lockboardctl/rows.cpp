// SPDX-License-Identifier: MIT
#include "app/lockboardctl/rows.h"

#include "app/lockboardctl/duration.h"
#include "app/lockboardctl/output.h"

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

void insertBytes(QJsonObject& object, const QString& name, const std::string& bytes)
{
    const QByteArray raw = QByteArray::fromStdString(bytes);
    const QString text = QString::fromUtf8(raw);
    // The way back decides: a byte order mark, say, is UTF-8 that does not survive.
    if (text.toUtf8() == raw) {
        object.insert(name, text);
        return;
    }
    object.insert(name, QString::fromStdString(printable(bytes)));
    object.insert(name + u"Base64"_s, QString::fromLatin1(raw.toBase64()));
}

static std::optional<Duration> remaining(const Lock& lock, TimePoint now)
{
    if (!lock.leaseEnd)
        return {};
    return std::max(std::chrono::ceil<Duration>(*lock.leaseEnd - now), Duration(0));
}

static QJsonObject noteObject(const HolderNote::Fields& note)
{
    QJsonObject object{
        {u"host"_s, QString::fromStdString(note.host)},
        {u"pid"_s, qint64(note.pid)},
        {u"program"_s, QString::fromStdString(note.program)},
        {u"acquiredAt"_s, QString::fromStdString(note.acquiredAt)},
    };
    if (!note.requestId.empty())
        object.insert(u"requestId"_s, QString::fromStdString(note.requestId));
    return object;
}

QJsonObject lockObject(const std::string& provider, const Lock& lock, TimePoint now)
{
    const auto ttl = remaining(lock, now);
    QJsonObject object{
        {u"provider"_s, QString::fromStdString(provider)},
        {u"owner"_s, QJsonValue()},
        {u"ttlMs"_s, ttl ? QJsonValue(qint64(ttl->count())) : QJsonValue()},
        {u"state"_s, lock.state == LockState::Held ? u"held"_s : u"wrongType"_s},
    };
    insertBytes(object, u"key"_s, lock.key);
    if (lock.owner)
        insertBytes(object, u"owner"_s, *lock.owner);
    if (!lock.detail.empty())
        object.insert(u"detail"_s, QString::fromStdString(printable(lock.detail)));
    if (lock.token) // a string: a JSON number of 64 bits does not survive every reader
        object.insert(u"token"_s, QString::number(*lock.token));
    if (!lock.note.isEmpty())
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

Table::Row lockRow(const Lock& lock, TimePoint now)
{
    const auto ttl = remaining(lock, now);
    const std::string state = lock.state == LockState::Held
        ? "held"
        : "wrong type" + (lock.detail.empty() ? "" : " (" + printable(lock.detail) + ')');
    return {
        QString::fromStdString(printable(lock.key)),
        QString::fromStdString(lock.owner ? printableStart(*lock.owner) : "-"),
        QString::fromStdString(ttl ? formatDuration(*ttl) : "never"),
        QString::fromStdString(state),
    };
}

} // namespace lockboard::ctl
