// SPDX-License-Identifier: MIT
#include "app/lockboardctl/terminal_question.h"

#include "app/lockboardctl/output.h"

#include <QSocketNotifier>

#include <array>
#include <cstdio>

#include <unistd.h>

namespace lockboard::ctl {

bool canAsk()
{
    return isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1;
}

Task<bool> ask(Session& session, std::string question)
{
    writePrompt(question);
    Signal typed(session.resumer());
    QSocketNotifier notifier(STDIN_FILENO, QSocketNotifier::Read);
    QObject::connect(&notifier, &QSocketNotifier::activated, &notifier, [&] {
        notifier.setEnabled(false);
        typed.raise();
    });
    const WakeReason reason = co_await typed.wait(std::nullopt, session.stop());
    if (reason == WakeReason::Cancelled) {
        std::fputc('\n', stderr);
        throw Cancelled();
    }
    // A terminal hands over whole lines.
    std::array<char, 256> line{};
    const auto length = ::read(STDIN_FILENO, line.data(), line.size());
    std::string_view answer(line.data(), static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    while (answer.ends_with('\n') || answer.ends_with(' '))
        answer.remove_suffix(1);
    co_return answer == "y" || answer == "Y" || answer == "yes" || answer == "Yes";
}

} // namespace lockboard::ctl
