// SPDX-License-Identifier: MIT
#include "tests/cli/terminal.h"

#include <QTest>

#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

namespace lockboard::test {

TerminalRun::TerminalRun(const Ctl& ctl, const QByteArrayList& words)
    : m_terminal(posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK))
{
    if (m_terminal < 0 || grantpt(m_terminal) != 0 || unlockpt(m_terminal) != 0)
        throw std::runtime_error("there is no terminal to be had");
    const QByteArray name = ptsname(m_terminal);
    m_process = ctl.start(words, [name] {
        setsid(); // so that the terminal becomes its own
        const int theirs = open(name.constData(), O_RDWR);
        dup2(theirs, STDIN_FILENO);
        dup2(theirs, STDERR_FILENO);
    });
}

TerminalRun::~TerminalRun()
{
    close(m_terminal);
}

const QByteArray& TerminalRun::read()
{
    char buffer[512];
    for (ssize_t n = 0; (n = ::read(m_terminal, buffer, sizeof buffer)) > 0;)
        m_shown.append(buffer, n);
    return m_shown;
}

QByteArray TerminalRun::question()
{
    const bool asks = QTest::qWaitFor(
        [this] { return read().endsWith("[y/N] ") || m_process->state() == QProcess::NotRunning; },
        20'000);
    if (!asks || !m_shown.endsWith("[y/N] "))
        throw std::runtime_error("it does not ask; it shows: " + m_shown.toStdString());
    return m_shown;
}

void TerminalRun::type(const QByteArray& answer) const
{
    if (write(m_terminal, answer.constData(), size_t(answer.size())) != answer.size())
        throw std::runtime_error("the terminal takes no more");
}

CtlRun TerminalRun::finish()
{
    CtlRun run = Ctl::finish(*m_process);
    run.err = read();
    return run;
}

} // namespace lockboard::test
