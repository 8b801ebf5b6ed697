// SPDX-License-Identifier: MIT
#include "engine/contract/container.h"

#include <QLoggingCategory>

namespace lockboard {

Q_LOGGING_CATEGORY(lcLockboard, "lockboard")

void logToQt(LogLevel level, const std::string& message)
{
    switch (level) {
    case LogLevel::Debug:
        qCDebug(lcLockboard, "%s", message.c_str());
        break;
    case LogLevel::Info:
        qCInfo(lcLockboard, "%s", message.c_str());
        break;
    case LogLevel::Warning:
        qCWarning(lcLockboard, "%s", message.c_str());
        break;
    case LogLevel::Error:
        qCCritical(lcLockboard, "%s", message.c_str());
        break;
    }
}

} // namespace lockboard
