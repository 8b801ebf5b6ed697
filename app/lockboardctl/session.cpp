// SPDX-License-Identifier: MIT
#include "app/lockboardctl/session.h"

#include "app/demo/demo_provider.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/verbs.h"
#include "engine/module/built_in_kinds.h"

#include <QFile>
#include <QStandardPaths>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static QString usualConfig()
{
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation)
        + u"/lockboard/config.json"_s;
}

static Config configFor(const Arguments& arguments)
{
    if (arguments.demo)
        return demoConfig();
    if (arguments.connect)
        return Config::connectTo(*arguments.connect, builtInKinds());
    if (arguments.config)
        return Config::load(*arguments.config, builtInKinds());
    const QString usual = usualConfig();
    struct stat there { };
    // One that is there and can't be read, or a link to nowhere, is not the same as none.
    if (lstat(QFile::encodeName(usual).constData(), &there) == 0)
        return Config::load(usual.toStdString(), builtInKinds());
    if (errno == ENOENT || errno == ENOTDIR)
        return Config();
    throw ConfigError(usual.toStdString(), "", 0,
                      std::string("can't be read: ") + std::strerror(errno));
}

static LockingModule::Settings settingsFor(const Arguments& arguments, bool audited)
{
    LockingModule::Settings settings;
    settings.readOnly = arguments.readOnly;
    if (audited && !arguments.readOnly && !arguments.noAudit) {
        const QString file = arguments.auditLog ? QString::fromStdString(*arguments.auditLog)
                                                : AuditLog::defaultFile();
        settings.audit = std::make_shared<AuditLog>(file, AuditLog::defaultOperator());
    }
    return settings;
}

//! The engine's log goes to standard error; a trouble looks like one of ours.
static void log(LogLevel level, const std::string& message)
{
    if (level < LogLevel::Warning)
        logToQt(level, printable(message));
    else
        complain(message);
}

static const ProviderInfo* find(const LockingModule& module, const std::string& asked)
{
    const std::string id =
        asked.empty() ? module.defaultProviderId() : asked.substr(asked.starts_with("lp_") ? 3 : 0);
    std::vector<std::string> known;
    for (const ProviderInfo& each : module.providers()) {
        if (each.id == id)
            return &each;
        known.push_back(each.id);
    }
    throw NotFound(asked, known);
}

//! Locks that end with this command keep nobody out, and a list of them is empty: who wants them
//! names them.
static void requireServer(const Arguments& arguments, const LockingModule& module,
                          const ProviderInfo& chosen)
{
    if (chosen.features.shared || arguments.demo || !arguments.provider.empty())
        return;
    if (!chosen.problem.empty()) // it could not be made, as every call says
        return;
    const bool isRefused = arguments.readOnly && arguments.verb->changesLocks && !arguments.dryRun;
    if (!arguments.verb->usesLocks || isRefused) // which has a reason of its own
        return;
    std::string shared; // those that could be meant
    for (const ProviderInfo& each : module.providers()) {
        if (each.features.shared)
            shared += (shared.empty() ? "\"" : ", \"") + printable(each.id) + '"';
    }
    if (!shared.empty() && arguments.verb->looksAtAll)
        return;
    const std::string source = arguments.connect ? "--connect"
        : arguments.config                       ? *arguments.config
        : module.providers().size() > 1          ? usualConfig().toStdString()
                                                 : "";
    if (!shared.empty())
        throw ConfigError(source, "", 0,
                          "no provider is the default; name one with --provider: " + shared);
    throw ConfigError(source, "", 0,
                      "the locks of \"" + printable(chosen.id)
                          + "\" end with this command and keep nobody out; name a server with "
                            "--connect or --config, or say --provider "
                          + printable(chosen.id) + " if these are meant");
}

Session::Session(const Arguments& arguments, bool audited, std::stop_token stop)
    : m_resumer(m_clock)
    , m_stop(std::move(stop))
    , m_module(configFor(arguments), Container(m_clock, log), settingsFor(arguments, audited))
    , m_provider(find(m_module, arguments.provider))
{
    requireServer(arguments, m_module, *m_provider);
}

} // namespace lockboard::ctl
