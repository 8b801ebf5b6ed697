// SPDX-License-Identifier: MIT
#include "app/lockboardctl/output.h"

#include "engine/credentials.h"

#include <QJsonDocument>
#include <QJsonObject>

#include <cerrno>
#include <cstdio>
#include <set>

#include <unistd.h>

namespace lockboard::ctl {

static void checkOutput(bool good)
{
    if (good)
        return;
    if (errno == EPIPE)
        throw OutputClosed();
    throw OutputError();
}

void writeLine(std::string_view line)
{
    checkOutput(std::fwrite(line.data(), 1, line.size(), stdout) == line.size()
                && std::fputc('\n', stdout) != EOF);
}

void writeLine(const QJsonObject& object)
{
    const QByteArray json = QJsonDocument(object).toJson(QJsonDocument::Compact);
    writeLine(std::string_view(json.data(), static_cast<std::size_t>(json.size())));
}

void flushOutput()
{
    checkOutput(std::fflush(stdout) == 0);
}

static std::set<std::string>& complaints()
{
    static std::set<std::string> all;
    return all;
}

void complain(std::string_view said)
{
    // A mistake in the command line is repeated, and may be a URL.
    const std::string sentence = withoutCredentials(std::string(said));
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
    if (!complaints().contains(withoutCredentials(std::string(said))))
        complain(said);
}

bool errorsGoToTerminal()
{
    return isatty(STDERR_FILENO) == 1;
}

} // namespace lockboard::ctl
