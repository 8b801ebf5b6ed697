// SPDX-License-Identifier: MIT
#include "app/lockboardctl/interrupt.h"

#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"

#include <QSocketNotifier>
#include <QTimer>

#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace lockboard::ctl {

using namespace std::chrono_literals;

static volatile std::sig_atomic_t caught = 0;
static int wakeUp[2];

extern "C" {
static void onUnixSignal(int number)
{
    caught = number;
    const char byte = 0;
    // A full pipe has woken the loop already.
    [[maybe_unused]] const auto written = write(wakeUp[1], &byte, 1);
}
}

Interrupt::Interrupt()
{
    if (pipe2(wakeUp, O_CLOEXEC | O_NONBLOCK) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe");
    auto* notifier = new QSocketNotifier(wakeUp[0], QSocketNotifier::Read, this);
    connect(notifier, &QSocketNotifier::activated, this, [this, notifier] {
        notifier->setEnabled(false);
        onSignal();
    });
    for (const int number : { SIGINT, SIGTERM }) {
        struct sigaction action = {};
        sigaction(number, nullptr, &action);
        if (action.sa_handler == SIG_IGN)
            continue; // a shell's background job: leave it so
        action.sa_handler = onUnixSignal;
        action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
        sigaction(number, &action, nullptr);
    }
}

int Interrupt::signal() const
{
    return caught;
}

void Interrupt::onSignal()
{
    QTimer::singleShot(2s, this, [] {
        complain("Interrupted before an answer came: the outcome is unknown.");
        std::_Exit(BySignal + caught);
    });
    m_source.request_stop();
}

} // namespace lockboard::ctl
