// SPDX-License-Identifier: MIT
#include "app/demo/demo_provider.h"
#include "app/lockboard/command_line.h"
#include "app/lockboard/screenshot.h"
#include "engine/contract/credentials.h"
#include "engine/module/built_in_kinds.h"
#include "ui/main_window/main_window.h"
#include "ui/session/engine_thread.h"

#include <QApplication>

#include <cstdio>
#include <cstdlib>

using namespace lockboard;
using namespace std::chrono_literals;
using namespace Qt::StringLiterals;

namespace {

constexpr int noDisplay = 69; // EX_UNAVAILABLE
constexpr int stuck = 70; // EX_SOFTWARE
constexpr int configProblem = 78; // EX_CONFIG

int complain(int code, const QString& sentence)
{
    // It repeats what others wrote, and goes to a terminal.
    std::fprintf(stderr, "lockboard: %s\n", printable(sentence.toStdString()).c_str());
    return code;
}

void nameApplication()
{
    QCoreApplication::setOrganizationName(u"Lockboard"_s);
    QCoreApplication::setApplicationName(u"lockboard"_s);
    QCoreApplication::setApplicationVersion(QStringLiteral(LOCKBOARD_VERSION));
}

Config configFor(const CommandLine& wanted)
{
    if (wanted.demo)
        return demoConfig();
    if (!wanted.connect.isEmpty())
        return Config::connectTo(wanted.connect.toStdString(), builtInKinds());
    return wanted.config.isEmpty() ? Config()
                                   : Config::load(wanted.config.toStdString(), builtInKinds());
}

//! The provider's id as the module knows it. \throws ConfigError if it doesn't
std::string chosenProvider(const LockingModule& module, const QString& wanted)
{
    if (wanted.isEmpty())
        return module.defaultProviderId();
    std::string id = wanted.toStdString();
    if (id.starts_with("lp_"))
        id.erase(0, 3);
    std::vector<std::string> known;
    for (const ProviderInfo& provider : module.providers()) {
        if (provider.id == id)
            return id;
        known.push_back(provider.id);
    }
    throw NotFound(id, known);
}

bool hasDisplay()
{
    return qEnvironmentVariableIsSet("QT_QPA_PLATFORM") || !qEnvironmentVariableIsEmpty("DISPLAY")
        || !qEnvironmentVariableIsEmpty("WAYLAND_DISPLAY");
}

//! Contains what comes out of an event, on any thread: a provider's timer that throws, say.
class Application final : public QApplication {
public:
    using QApplication::QApplication;
    bool notify(QObject* receiver, QEvent* event) override
    {
        try {
            return QApplication::notify(receiver, event);
        } catch (...) {
            const std::string what = messageOf(std::current_exception());
            complain(0,
                     u"an error that should not be, in an event of a %1: %2."_s.arg(
                         QLatin1String(receiver->metaObject()->className()),
                         QString::fromStdString(what)));
            return true;
        }
    }
};

//! A thread that never returns would be in the way of everything that a program does at its end.
[[noreturn]] void leaveAtOnce(int code)
{
    std::fflush(nullptr);
    std::_Exit(code);
}

LockingModule& opened(EngineThread& engine)
{
    try {
        return engine.open();
    } catch (const Unavailable& error) {
        leaveAtOnce(complain(stuck, QString::fromStdString(error.message())));
    }
}

int showWindow(LockingModule& module, const CommandLine& wanted)
{
    const bool picture = !wanted.screenshot.isEmpty();
    MainWindow window(module, chosenProvider(module, wanted.provider),
                      picture ? MainWindow::Memory::None : MainWindow::Memory::Keep);
    if (wanted.size.isValid())
        window.resize(wanted.size);
    if (picture)
        new Screenshot(window, wanted.screenshot, wanted.demo ? 2500ms : 500ms);
    window.show();
    return QApplication::exec();
}

int show(int argc, char** argv, const CommandLine& wanted, const Config& config)
{
    const Application app(argc, argv);
    QGuiApplication::setDesktopFileName(u"io.github.lockboard.Lockboard"_s);
    const Theme theme(wanted.theme);

    LockingModule::Settings settings;
    settings.readOnly = wanted.readOnly;
    // Who only looks needs no place to record it.
    if (!wanted.readOnly && !wanted.noAudit) {
        settings.audit = std::make_shared<AuditLog>(
            wanted.auditLog.isEmpty() ? AuditLog::defaultFile() : wanted.auditLog,
            AuditLog::defaultOperator());
    }
    EngineThread engine(config, settings);
    const int code = showWindow(opened(engine), wanted);
    if (!engine.close()) {
        leaveAtOnce(complain(stuck,
                             u"a provider's call did not return, so the engine was not ended; the "
                             "outcome of what was under way is unknown."_s));
    }
    return code;
}

} // namespace

int main(int argc, char** argv)
{
    CommandLine wanted;
    Config config;
    nameApplication();
    try {
        {
            // All that needs no display is settled before one is asked for.
            const QCoreApplication app(argc, argv);
            if (const auto exit = CommandLine::parse(QCoreApplication::arguments(), wanted)) {
                std::fputs(qPrintable(exit->text), exit->code == 0 ? stdout : stderr);
                return exit->code;
            }
            hideCredentials(argc, argv);
            config = configFor(wanted);
        }
        if (!hasDisplay()) {
            if (wanted.screenshot.isEmpty()) {
                return complain(
                    noDisplay,
                    u"there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set); "
                    "lockboardctl works without one, and so does --screenshot"_s);
            }
            qputenv("QT_QPA_PLATFORM", "offscreen");
        }
        return show(argc, argv, wanted, config);
    } catch (const LockError& error) {
        return complain(configProblem, QString::fromStdString(error.message()));
    }
}
