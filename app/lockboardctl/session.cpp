// SPDX-License-Identifier: MIT
#include "app/lockboardctl/session.h"

#include "app/demo/demo_provider.h"
#include "app/lockboardctl/output.h"

#include <QFileInfo>
#include <QStandardPaths>

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static Config configFor(const Arguments& arguments)
{
    if (arguments.demo)
        return demoConfig();
    if (arguments.connect)
        return Config::connectTo(*arguments.connect);
    if (arguments.config)
        return Config::load(*arguments.config);
    const QString usual = QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation)
        + u"/lockboard/config.json"_s;
    return QFileInfo::exists(usual) ? Config::load(usual.toStdString()) : Config();
}

static LockingModule::Settings settingsFor(const Arguments& arguments, bool audited)
{
    LockingModule::Settings settings;
    settings.readOnly = arguments.readOnly;
    if (audited && !arguments.readOnly) {
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
        logToQt(level, message);
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

Session::Session(const Arguments& arguments, bool audited, std::stop_token stop)
    : m_resumer(m_clock)
    , m_stop(std::move(stop))
    , m_module(configFor(arguments), Container(m_clock, log), settingsFor(arguments, audited))
    , m_provider(find(m_module, arguments.provider))
{
}

} // namespace lockboard::ctl
