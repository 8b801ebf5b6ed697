// SPDX-License-Identifier: MIT
#pragma once

#include <QAbstractTableModel>
#include <QDateTime>

#include <deque>

namespace lockboard {

//! What was done from this window and what came of it; the newest on top, the oldest forgotten.
class ActivityLog final : public QAbstractTableModel {
    Q_OBJECT

public:
    enum class Outcome { Running, Done, Partly, Failed };
    enum Column { Time, Action, Subject, Result };
    enum Role { OutcomeRole = Qt::UserRole + 1 };
    static constexpr int mostEntries = 500;

    using QAbstractTableModel::QAbstractTableModel;

    //! Says that something began; gives what to finish it by.
    quint64 begin(const QString& action, const QString& subject);
    void finish(quint64 id, Outcome outcome, const QString& result);

    [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
    [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
    [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation,
                                      int role) const override;

private:
    struct Entry {
        quint64 id;
        QTime time;
        QString action;
        QString subject;
        QString result;
        Outcome outcome = Outcome::Running;
    };

    std::deque<Entry> m_entries;
    quint64 m_lastId = 0;
};

} // namespace lockboard
