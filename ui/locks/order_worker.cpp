// SPDX-License-Identifier: MIT
#include "ui/locks/order_worker.h"

namespace lockboard {

OrderWorker::OrderWorker(QObject* parent)
    : QObject(parent)
{
    m_pool.setMaxThreadCount(1);
}

OrderWorker::~OrderWorker()
{
    m_stop.request_stop();
    m_pool.waitForDone();
}

void OrderWorker::start(const LockTable& table, const LockOrder& order, TimePoint now)
{
    cancel();
    m_busy = true;
    m_stop = std::stop_source();
    m_pool.start([this, table, order, now, generation = m_generation, stop = m_stop.get_token()] {
        std::vector<RowId> result = arrange(table, order, now, stop);
        const auto deliver = [this, generation, result = std::move(result)] {
            finish(generation, result);
        };
        // The pool is waited for before this object goes.
        QMetaObject::invokeMethod(this, deliver, Qt::QueuedConnection);
    });
}

void OrderWorker::cancel()
{
    m_stop.request_stop();
    ++m_generation;
    m_busy = false;
}

void OrderWorker::dispose(std::shared_ptr<void> garbage)
{
    m_pool.start([garbage = std::move(garbage)]() mutable { garbage.reset(); });
}

void OrderWorker::finish(std::uint64_t generation, const std::vector<RowId>& order)
{
    if (generation != m_generation)
        return; // came too late
    m_busy = false;
    Q_EMIT arranged(order);
}

} // namespace lockboard
