// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <stop_token>

namespace lockboard::ctl {

//! Turns the first SIGINT, SIGTERM or SIGHUP into a request to stop. A second one ends the program
//! at once, and so does a call that hasn't stopped two seconds after the first, even one that
//! blocks the thread. One per program.
class Interrupt final : public QObject {
    Q_OBJECT

public:
    Interrupt();

    //! Up to here a signal ends the program at once: nothing has been sent.
    static void listen(bool changesLocks);
    [[nodiscard]] std::stop_token token() const { return m_source.get_token(); }
    //! The signal that came; 0: none.
    [[nodiscard]] int signal() const;
    //! One came, even if the event loop has not been told of it yet.
    [[nodiscard]] static bool hasCome();

private:
    std::stop_source m_source;
};

} // namespace lockboard::ctl
