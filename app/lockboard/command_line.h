// SPDX-License-Identifier: MIT
#pragma once

#include "ui/theme/theme.h"

#include <QSize>
#include <QString>
#include <QStringList>

#include <optional>

namespace lockboard {

//! What the console was asked to do.
class CommandLine final {
public:
    //! What to leave with at once, and what to say: help, the version, or what is wrong.
    class Exit final {
    public:
        int code = 0;
        QString text; //!< for stdout if the code is 0, else for stderr
    };

    //! Needs a QCoreApplication, no display.
    [[nodiscard]] static std::optional<Exit> parse(const QStringList& arguments, CommandLine& into);

    QString config;
    QString connect;
    QString provider;
    QString screenshot;
    QString auditLog;
    QSize size;
    ThemeChoice theme = ThemeChoice::Auto;
    bool noAudit = false;
    bool readOnly = false;
    bool demo = false;
};

} // namespace lockboard
