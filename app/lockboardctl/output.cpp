// SPDX-License-Identifier: MIT
#include "app/lockboardctl/output.h"

#include "engine/contract/credentials.h"
#include "engine/contract/lock.h"
#include "engine/contract/safe_json.h"

#include <QJsonObject>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <stdio_ext.h>
#include <unistd.h>

namespace lockboard::ctl {

std::string OutputError::reason() const
{
    return std::strerror(m_error);
}

bool OutputError::isInterruption() const
{
    return m_error == EINTR;
}

static void checkOutput(bool good)
{
    if (good)
        return;
    const int error = errno;
    __fpurge(stdout); // what could not be told now is not told at the end either
    if (error == EPIPE)
        throw OutputClosed();
    throw OutputError(error);
}

void writeText(std::string_view text)
{
    checkOutput(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

static bool isPlain(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

void writeLine(std::string_view line)
{
    if (isPlain(line))
        writeText(line);
    else
        writeText(printable(line));
    checkOutput(std::fputc('\n', stdout) != EOF);
}

void writeLine(const QJsonObject& object)
{
    const QByteArray json = toSafeJson(object);
    writeText(std::string_view(json.data(), static_cast<std::size_t>(json.size())));
    checkOutput(std::fputc('\n', stdout) != EOF);
}

void flushOutput()
{
    checkOutput(std::fflush(stdout) == 0);
}

void occupyStandardStreams()
{
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        // The lowest that is free: this one. Closed before main, none can have taken its place.
        if (fcntl(stream, F_GETFD) < 0)
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
    }
}

void catchMessages()
{
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& message) {
        const std::string line = printable(withoutCredentials(message.toStdString()));
        std::fprintf(stderr, "%s\n", line.c_str());
        if (type == QtFatalMsg)
            std::abort();
    });
}

void writePrompt(std::string_view question)
{
    std::fprintf(stderr, "%s [y/N] ", printable(question).c_str());
}

static std::set<std::string>& complaints()
{
    static std::set<std::string> all;
    return all;
}

void complain(std::string_view said)
{
    // A mistake in the command line is repeated, and may be a URL.
    const std::string sentence = printable(withoutCredentials(std::string(said)));
    // A provider logs what then fails the call, too: once is enough.
    static std::string last;
    if (sentence == last)
        return;
    last = sentence;
    complaints().insert(sentence);
    std::fprintf(stderr, "lockboardctl: %.*s\n", static_cast<int>(sentence.size()),
                 sentence.data());
}

void complainOnce(std::string_view said)
{
    if (!complaints().contains(printable(withoutCredentials(std::string(said)))))
        complain(said);
}

bool errorsGoToTerminal()
{
    return isatty(STDERR_FILENO) == 1;
}

} // namespace lockboard::ctl
