// SPDX-License-Identifier: MIT
#pragma once

#include "ui/locks/lock_order.h"

#include <QObject>
#include <QThreadPool>

namespace lockboard {

//! Arranges large tables on a thread of its own, one at a time.
class OrderWorker final : public QObject {
    Q_OBJECT

public:
    explicit OrderWorker(QObject* parent = nullptr);
    ~OrderWorker() override;

    //! Starts on a snapshot; what was running is stopped and will not be heard of.
    void start(const LockTable& table, const LockOrder& order, TimePoint now);
    //! Forgets what is running.
    void cancel();
    [[nodiscard]] bool isBusy() const { return m_busy; }
    //! Frees something large elsewhere.
    void dispose(std::shared_ptr<void> garbage);

Q_SIGNALS:
    void arranged(const std::vector<lockboard::RowId>& order);

private:
    void finish(std::uint64_t generation, const std::vector<RowId>& order);

    QThreadPool m_pool;
    std::stop_source m_stop;
    std::uint64_t m_generation = 0;
    bool m_busy = false;
};

} // namespace lockboard
