// SPDX-License-Identifier: MIT
//! lockboardctl: the engine on the command line.

#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/help.h"
#include "app/lockboardctl/interrupt.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/verbs.h"
#include "engine/contract/credentials.h"

#include <QCoreApplication>
#include <QLoggingCategory>

#include <csignal>

namespace lockboard::ctl {

//! Says what went wrong and gives the exit code for it.
static int explain(const std::exception_ptr& error, const Interrupt& interrupt)
{
    try {
        std::rethrow_exception(error);
    } catch (const LockError& failure) {
        if (failure.code() == ErrorCode::Cancelled && interrupt.signal() != 0) {
            complain("Interrupted.");
            return BySignal + interrupt.signal();
        }
        complain(sentenceOf(failure));
        return exitCodeOf(failure);
    } catch (const UsageError& mistake) {
        complain(mistake.what());
        return Usage;
    } catch (const OutputClosed&) {
        return Done;
    } catch (const OutputError& failure) {
        if (failure.isInterruption() && interrupt.signal() != 0) {
            complain("Interrupted.");
            return BySignal + interrupt.signal();
        }
        complain("The output can't be written: " + failure.reason() + '.');
        return OutputFailed;
    } catch (...) {
        complain("An error that should not be: " + messageOf(error) + '.');
        return Internal;
    }
}

static Task<void> runVerb(Session* session, Arguments arguments, const Interrupt* interrupt)
{
    int code = Done;
    std::exception_ptr error;
    try {
        code = co_await arguments.verb->run(*session, arguments);
        flushOutput();
    } catch (...) {
        error = std::current_exception();
    }
    QCoreApplication::exit(error ? explain(error, *interrupt) : code);
}

//! Contains what comes out of an event: a provider's timer or socket, say, that throws.
class Application final : public QCoreApplication {
public:
    using QCoreApplication::QCoreApplication;
    bool notify(QObject* receiver, QEvent* event) override
    {
        try {
            return QCoreApplication::notify(receiver, event);
        } catch (...) {
            complainOnce("An error that should not be, in an event of a "
                         + std::string(receiver->metaObject()->className()) + ": "
                         + messageOf(std::current_exception()) + '.');
            return true;
        }
    }
};

static int run(int argc, char* argv[])
{
    occupyStandardStreams();
    catchMessages();
    Application app(argc, argv);
    QLoggingCategory::setFilterRules(QStringLiteral("lockboard.debug=false"));
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a limit of the size of files is an error of the output
    const Interrupt interrupt;
    try {
        const Arguments arguments = Arguments::parse(argc, argv);
        hideCredentials(argc, argv);
        if (arguments.version || arguments.help) {
            const std::string text = helpText(arguments.verb);
            writeText(arguments.version ? "lockboardctl " LOCKBOARD_VERSION "\n" : text);
            flushOutput();
            return Done;
        }
        const bool changesLocks = arguments.verb->changesLocks && !arguments.dryRun;
        Session session(arguments, changesLocks, interrupt.token());
        QMetaObject::invokeMethod(
            &app, [&] { letRun(runVerb(&session, arguments, &interrupt)); }, Qt::QueuedConnection);
        Interrupt::listen(changesLocks);
        return QCoreApplication::exec();
    } catch (...) {
        return explain(std::current_exception(), interrupt);
    }
}

} // namespace lockboard::ctl

int main(int argc, char* argv[])
{
    return lockboard::ctl::run(argc, argv);
}
