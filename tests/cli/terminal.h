// SPDX-License-Identifier: MIT
#pragma once

#include "tests/cli/ctl.h"

namespace lockboard::test {

//! A run of the program on a terminal: it is asked there, and Ctrl-C is a signal. Only what it
//! says otherwise than by its output is shown there.
class TerminalRun final {
public:
    TerminalRun(const Ctl& ctl, const QByteArrayList& words);
    ~TerminalRun();
    TerminalRun(const TerminalRun&) = delete;
    TerminalRun& operator=(const TerminalRun&) = delete;

    //! Waits until it asks; all that it has shown by then. Throws if it ends without a question.
    QByteArray question();
    void type(const QByteArray& answer) const;
    //! Waits for its end. `err` is all that it has shown, the echo of what was typed included.
    CtlRun finish();

private:
    const QByteArray& read();

    int m_terminal = -1; // our end of it
    QByteArray m_shown;
    std::unique_ptr<QProcess> m_process;
};

} // namespace lockboard::test
