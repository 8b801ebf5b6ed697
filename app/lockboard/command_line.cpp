// SPDX-License-Identifier: MIT
#include "app/lockboard/command_line.h"

#include "engine/contract/credentials.h"
#include "engine/contract/lock.h"

#include <QCommandLineParser>
#include <QRegularExpression>

namespace lockboard {

using namespace Qt::StringLiterals;

static constexpr int usageError = 64; // EX_USAGE

static CommandLine::Exit wrong(const QString& sentence)
{
    // It may repeat a URL.
    const std::string shown = printable(withoutCredentials(sentence.toStdString()));
    return {usageError, u"lockboard: %1 (try --help)\n"_s.arg(QString::fromStdString(shown))};
}

static QString shown(const QString& word)
{
    return QString::fromStdString(shownWord(word.toStdString()));
}

//! What Qt says of the command line; it may repeat an argument, and that may be a URL.
static QString problemOf(const QCommandLineParser& parser, const QStringList& arguments)
{
    const QStringList unknown = parser.unknownOptionNames();
    if (!unknown.isEmpty())
        return u"Unknown option '%1'"_s.arg(shown(unknown.constFirst()));
    QString problem = parser.errorText();
    while (problem.endsWith(u'.'))
        problem.chop(1);
    for (const QString& argument : arguments) {
        if (argument.contains(u'='))
            problem.replace(argument, argument.section(u'=', 0, 0));
    }
    return problem;
}

static std::optional<QSize> sizeFrom(const QString& text)
{
    static const QRegularExpression pattern(u"^(\\d{3,4})x(\\d{3,4})$"_s);
    const auto match = pattern.match(text);
    if (!match.hasMatch())
        return {};
    return QSize(match.captured(1).toInt(), match.captured(2).toInt());
}

static std::optional<ThemeChoice> themeFrom(const QString& text)
{
    if (text == u"auto")
        return ThemeChoice::Auto;
    if (text == u"light")
        return ThemeChoice::Light;
    if (text == u"dark")
        return ThemeChoice::Dark;
    return {};
}

std::optional<CommandLine::Exit> CommandLine::parse(const QStringList& arguments, CommandLine& into)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(
        u"Shows who holds your locks, and lets go of the stuck ones."_s);
    const QCommandLineOption help({u"h"_s, u"help"_s}, u"Show this help."_s);
    const QCommandLineOption version({u"v"_s, u"version"_s}, u"Show the version."_s);
    const QCommandLineOption config(u"config"_s, u"The locking module's configuration."_s,
                                    u"FILE"_s);
    const QCommandLineOption connect(
        u"connect"_s,
        u"Connect to one server instead: redis://, rediss://, postgres:// or a socket's path."_s,
        u"URL"_s);
    const QCommandLineOption provider(
        u"provider"_s, u"The provider to show first; else the default one."_s, u"ID"_s);
    const QCommandLineOption readOnly(u"read-only"_s, u"Look, and change nothing."_s);
    const QCommandLineOption demo(
        u"demo"_s, u"Let workers take and release locks on the in-memory provider."_s);
    const QCommandLineOption screenshot(
        u"screenshot"_s, u"Save a picture of the window once it shows locks, and exit."_s,
        u"FILE"_s);
    const QCommandLineOption theme(u"theme"_s, u"light, dark, or auto: as the desktop likes it."_s,
                                   u"THEME"_s, u"auto"_s);
    const QCommandLineOption size(u"size"_s, u"The window's size."_s, u"WxH"_s);
    const QCommandLineOption audit(
        u"audit-log"_s, u"Where to record what is done; else under the XDG state directory."_s,
        u"FILE"_s);
    const QCommandLineOption noAudit(u"no-audit"_s, u"Keep no record of what is done."_s);
    parser.addOptions({help, version, config, connect, provider, readOnly, demo, screenshot, theme,
                       size, audit, noAudit});
    if (!parser.parse(arguments))
        return wrong(problemOf(parser, arguments));
    if (parser.isSet(help))
        return Exit{0, parser.helpText()};
    if (parser.isSet(version))
        return Exit{0, u"lockboard %1\n"_s.arg(QStringLiteral(LOCKBOARD_VERSION))};
    if (!parser.positionalArguments().isEmpty())
        return wrong(
            u"unexpected argument '%1'"_s.arg(shown(parser.positionalArguments().constFirst())));
    if (parser.isSet(config) && parser.isSet(connect))
        return wrong(u"--config and --connect exclude each other"_s);
    if (parser.isSet(demo) && (parser.isSet(config) || parser.isSet(connect)))
        return wrong(u"--demo has locks of its own; leave out --config and --connect"_s);
    if (parser.isSet(audit) && parser.isSet(noAudit))
        return wrong(u"--audit-log and --no-audit exclude each other"_s);
    for (const QCommandLineOption& option : {config, connect, provider, screenshot, audit}) {
        if (parser.isSet(option) && parser.value(option).isEmpty())
            return wrong(u"--%1 is empty"_s.arg(option.names().constFirst()));
    }
    const auto themeChoice = themeFrom(parser.value(theme));
    if (!themeChoice)
        return wrong(u"--theme must be light, dark or auto"_s);
    into.theme = *themeChoice;
    if (parser.isSet(size)) {
        const auto wanted = sizeFrom(parser.value(size));
        if (!wanted)
            return wrong(u"--size must be like 1280x800"_s);
        into.size = *wanted;
    }
    into.config = parser.value(config);
    into.connect = parser.value(connect);
    into.provider = parser.value(provider);
    into.screenshot = parser.value(screenshot);
    into.auditLog = parser.value(audit);
    into.noAudit = parser.isSet(noAudit);
    into.readOnly = parser.isSet(readOnly);
    into.demo = parser.isSet(demo);
    return {};
}

} // namespace lockboard
