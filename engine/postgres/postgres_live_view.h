// SPDX-License-Identifier: MIT
#pragma once

#include "engine/live_view.h"
#include "engine/postgres/postgres_connection.h"
#include "engine/task.h"

namespace lockboard {

class PostgresProvider;

//! What lies in the table, read as a whole by COPY.
class PostgresLiveView final : public LiveView {
    Q_OBJECT

public:
    explicit PostgresLiveView(PostgresProvider& provider);
    ~PostgresLiveView() override;

    //! The provider is going away.
    void detach();
    void noteChanged(const std::vector<std::string>& keys);
    void noteAllChanged();
    void onWarningsChanged();

protected:
    void doStart() override;
    void doRefresh() override;

private:
    Task<void> read();
    void takeLine(std::string_view line);
    void scheduleRead(Duration pause);

    PostgresProvider* m_provider;
    Clock& m_clock;
    PostgresStatement m_copy;
    std::unordered_map<std::string, Lock> m_known;
    std::unordered_map<std::string, Lock> m_read;
    LockBatch m_batch;
    Clock::TimerId m_timer = 0;
    TimePoint m_readAt;
    bool m_first = true;
    bool m_reading = false;
    bool m_again = false;
};

} // namespace lockboard
