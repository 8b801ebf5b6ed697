// SPDX-License-Identifier: MIT
#include "app/lockboardctl/interrupt.h"

#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"

#include <QSocketNotifier>

#include <csignal>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace lockboard::ctl {

//! For a call to stop by itself, in seconds.
static constexpr unsigned grace = 2;

static volatile std::sig_atomic_t caught = 0;
static volatile std::sig_atomic_t mayHaveChanged = 0;
static int wakeUp[2];

// These may run in the middle of anything, also of a provider's call that never returns.
extern "C" {
static void onGraceOver(int)
{
    constexpr std::string_view changing =
        "lockboardctl: Interrupted before an answer came: the outcome is unknown.\n";
    constexpr std::string_view reading = "lockboardctl: Interrupted before an answer came.\n";
    const std::string_view sentence = mayHaveChanged != 0 ? changing : reading;
    [[maybe_unused]] const auto written = write(STDERR_FILENO, sentence.data(), sentence.size());
    _exit(BySignal + caught);
}

static void onUnixSignal(int number)
{
    if (caught != 0) {
        // The second one: what it does by itself, as soon as this handler has returned.
        ::signal(number, SIG_DFL);
        ::raise(number);
        return;
    }
    caught = number;
    alarm(grace);
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
        m_source.request_stop();
    });
}

void Interrupt::listen(bool changesLocks)
{
    mayHaveChanged = changesLocks ? 1 : 0;
    struct sigaction action = {};
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    action.sa_handler = onGraceOver;
    sigaction(SIGALRM, &action, nullptr);
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &mine, nullptr);
    action.sa_handler = onUnixSignal;
    action.sa_flags = 0; // no SA_RESTART: an output that nobody reads must not hold us
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&action.sa_mask, number);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction before = {};
        sigaction(number, nullptr, &before);
        if (before.sa_handler != SIG_IGN) // nohup, or a shell's background job: leave it so
            sigaction(number, &action, nullptr);
    }
}

int Interrupt::signal() const
{
    return caught;
}

bool Interrupt::hasCome()
{
    return caught != 0;
}

} // namespace lockboard::ctl
