// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <stop_token>

namespace lockboard::ctl {

//! Turns the first SIGINT or SIGTERM into a request to stop. A second one ends the program at once,
//! and so does a call that hasn't stopped two seconds after the first. One per program.
class Interrupt final : public QObject {
    Q_OBJECT

public:
    Interrupt();

    [[nodiscard]] std::stop_token token() const { return m_source.get_token(); }
    //! The signal that came; 0: none.
    [[nodiscard]] int signal() const;

private:
    void onSignal();

    std::stop_source m_source;
};

} // namespace lockboard::ctl
