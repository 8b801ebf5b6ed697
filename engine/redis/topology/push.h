// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/redis/wire/connection.h"

#include <unordered_set>

namespace lockboard::redis {

//! Hears from the server which keys have changed, whoever changed them. Of the ways to hear it the
//! first that the server grants is taken: client tracking in its broadcasting mode, pushed over
//! RESP3 if the hiredis we are built with can, else redirected over RESP2 to the very connection
//! that asks for it; else keyspace events, if the server sends them already. One socket in each, so
//! that nothing can die but that, and PING notices if it does. Of every change it hears the name
//! only, and of SWAPDB nothing. Lives on the engine's thread.
class Push final : public QObject {
    Q_OBJECT

public:
    Push(const Endpoint& endpoint, std::string prefix, const Container& container);
    ~Push() override;

    //! Starts, if it has not been started yet; from then on it keeps itself alive.
    void open();
    //! For good.
    void close();

    [[nodiscard]] bool isLive() const { return m_mode == Mode::Live; }
    //! How it hears, once it is live: "RESP3", "RESP2" or "keyspace events".
    [[nodiscard]] const char* way() const;
    //! An attempt has shown whether the server pushes.
    [[nodiscard]] bool isSettled() const { return isLive() || !m_why.empty(); }
    //! Why it is not live, if an attempt has shown that: a phrase or a sentence without its stop.
    [[nodiscard]] const std::string& why() const { return m_why; }

Q_SIGNALS:
    //! The server answers a heartbeat with an error: that it is busy, say.
    void troubled();
    //! Live from now on; what changed before was not heard.
    void live();
    //! No longer; or, said once, it could not become live.
    void lost();
    //! Names as Redis knows them, each once; what there is to know is to be read.
    void changed(const std::vector<std::string>& keys);
    //! All keys of the server are gone, or of one of its databases.
    void flushed();

private:
    enum class Mode : std::uint8_t { Off, Trying, Live, Closed };
    enum class Way : std::uint8_t { Resp3, Resp2, Events };

    static constexpr std::string_view redirectionChannel = "__redis__:invalidate";
    [[nodiscard]] static Way firstWay();
    void connectAnew(Way way);
    Task<void> arm();
    // Each gives what the server says against it; empty: it hears now.
    Task<std::string> askForPush();
    Task<std::string> askForRedirection();
    Task<std::string> askForEvents();
    void becomeLive();
    void refuse(const std::string& why);
    Task<void> ping();
    void lose(std::string why);
    void beat();
    void take(const Reply& message);
    void noteDirty(std::string_view name);
    void deliver();

    Endpoint m_endpoint;
    std::string m_prefix;
    std::string m_eventPrefix; // of the channel that tells of a key
    Clock& m_clock;
    Container m_container;
    Mode m_mode = Mode::Off;
    Way m_way = Way::Resp2;
    std::string m_refusals; // of the ways tried so far
    std::string m_why;
    std::string m_logged;
    std::unordered_set<std::string> m_dirty; // of this turn of the event loop
    bool m_allDirty = false;
    bool m_deliveryPosted = false;
    bool m_pinging = false;
    Clock::TimerId m_timer = 0; // the next heartbeat, or the next attempt after a refusal
    std::unique_ptr<Connection> m_connection;
};

} // namespace lockboard::redis
