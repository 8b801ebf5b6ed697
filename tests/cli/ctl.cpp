// SPDX-License-Identifier: MIT
#include "tests/cli/ctl.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>

#include <stdexcept>

namespace lockboard::test {

using namespace Qt::StringLiterals;

QByteArray CtlRun::complaint() const
{
    QByteArrayList lines = err.split('\n');
    lines.removeIf([](const QByteArray& line) { return line.startsWith("Locking module: "); });
    return lines.join('\n').trimmed();
}

static QList<QJsonObject> objects(const QByteArray& text)
{
    QList<QJsonObject> list;
    QByteArrayList lines = text.split('\n');
    if (!lines.takeLast().isEmpty())
        throw std::runtime_error("the last line has no end");
    for (const QByteArray& line : std::as_const(lines)) {
        QJsonParseError error;
        const QJsonDocument document = QJsonDocument::fromJson(line, &error);
        if (!document.isObject())
            throw std::runtime_error("no JSON object: " + line.toStdString());
        list.append(document.object());
    }
    return list;
}

QList<QJsonObject> CtlRun::json() const
{
    return objects(out);
}

Ctl::Ctl() = default;

std::unique_ptr<QProcess> Ctl::start(const QByteArrayList& words,
                                     const std::function<void()>& modifier) const
{
    auto process = std::make_unique<QProcess>();
    if (modifier)
        process->setChildProcessModifier(modifier);
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    environment.insert(u"XDG_CONFIG_HOME"_s, path(u"config"_s));
    environment.insert(u"XDG_STATE_HOME"_s, path(u"state"_s));
    environment.insert(u"HOME"_s, path(u"home"_s));
    environment.remove(u"DISPLAY"_s);
    environment.remove(u"WAYLAND_DISPLAY"_s);
    environment.remove(u"QT_LOGGING_RULES"_s);
    process->setProcessEnvironment(environment);
    // QProcess takes text only; a shell that decodes octal escapes hands on any bytes.
    QByteArray script = "exec";
    for (const QByteArray& word : QByteArrayList{LOCKBOARDCTL} + m_always + words) {
        script += " $'";
        for (const char byte : word)
            script += '\\' + QByteArray::number(static_cast<uchar>(byte), 8).rightJustified(3, '0');
        script += '\'';
    }
    process->start(u"bash"_s, {u"-c"_s, QString::fromLatin1(script)});
    return process;
}

CtlRun Ctl::finish(QProcess& process)
{
    if (process.state() != QProcess::NotRunning && !process.waitForFinished(60'000))
        throw std::runtime_error("lockboardctl did not finish");
    CtlRun run;
    run.out = process.readAllStandardOutput();
    run.err = process.readAllStandardError();
    run.code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    return run;
}

CtlRun Ctl::run(const QByteArrayList& words) const
{
    const auto process = start(words);
    process->closeWriteChannel();
    return finish(*process);
}

QString Ctl::writeFile(const QString& name, const QByteArray& text) const
{
    QFile file(path(name));
    QDir().mkpath(QFileInfo(file).absolutePath());
    if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size())
        throw std::runtime_error("a file can't be written");
    return file.fileName();
}

QList<QJsonObject> Ctl::audit() const
{
    QFile file(path(u"state/lockboard/audit.jsonl"_s));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    return objects(file.readAll());
}

} // namespace lockboard::test
