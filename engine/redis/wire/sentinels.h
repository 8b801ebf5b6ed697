// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/contract/container.h"
#include "engine/redis/wire/settings.h"

#include <QObject>

#include <exception>
#include <memory>

namespace lockboard::redis {

class Connection;
class Reply;

//! Knows from the sentinels where their master is: asks them one after another, and stays
//! subscribed to one of them to hear at once when the master moves. Lives on the engine's thread.
class Sentinels final : public QObject {
    Q_OBJECT

public:
    //! `endpoint` is the master's, and says who the sentinels are.
    Sentinels(const Endpoint& endpoint, const Container& container);
    ~Sentinels() override;

    //! Where the master is, asked of the sentinel first that answered last. Ends with located or
    //! failed, never before it returns.
    void ask();

Q_SIGNALS:
    //! Asked for, or heard.
    void located(const std::string& host, int port);
    //! None of them knows: Unavailable, or Denied.
    void failed(const std::exception_ptr& problem);

private:
    Task<void> askAll();
    std::unique_ptr<Connection> connectTo(const SentinelSettings::Address& address);
    void watch(std::unique_ptr<Connection> sentinel);
    Task<void> subscribe();
    Task<void> ping();
    void take(const Reply& message);
    [[nodiscard]] std::exception_ptr explain(const std::exception_ptr& problem) const;

    Endpoint m_endpoint; // of a sentinel, but for host and port
    SentinelSettings m_settings; // whose list begins with the one to ask first
    Container m_container;
    Clock::TimerId m_timer = 0; // the next heartbeat, or the next search for one to listen to
    bool m_asking = false;
    std::unique_ptr<Connection> m_asked;
    std::unique_ptr<Connection> m_watched;
};

} // namespace lockboard::redis
