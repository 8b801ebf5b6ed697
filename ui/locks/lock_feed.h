// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

#include <deque>
#include <variant>

namespace lockboard {

class LockTableModel;

//! Brings what a live view says into the model: at most ten times a second, and no longer than a
//! slice of a frame at a time, however much there is. GUI thread.
class LockFeed final : public QObject {
    Q_OBJECT

public:
    explicit LockFeed(LockTableModel& model, QObject* parent = nullptr);

    void beginSnapshot();
    void addBatch(const LockBatch& locks);
    void endSnapshot();
    void addChanges(const ChangeBatch& changes);
    //! Forgets what waits.
    void clear();

Q_SIGNALS:
    //! A whole snapshot is in the model.
    void snapshotShown();

private:
    struct Begin { };
    struct End { };
    using Item = std::variant<Begin, LockBatch, End, ChangeBatch>;

    void push(Item item);
    void runSlice();
    //! Works on the first item for a while; true if it is done.
    bool advance(const QElapsedTimer& since);

    LockTableModel& m_model;
    std::deque<Item> m_queue;
    qsizetype m_position = 0;
    QTimer m_timer;
    QElapsedTimer m_sinceCommit;
};

} // namespace lockboard
