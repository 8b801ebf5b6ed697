// SPDX-License-Identifier: MIT
#include "engine/config/server_url.h"

#include "engine/config/value.h"

#include <QHostAddress>

#include <algorithm>
#include <cctype>

namespace lockboard {

static constexpr std::string_view slashes = "://";

namespace {

struct Reserved {
    char letter;
    const char* code;
};
constexpr Reserved reserved[] = {
    {'@', "%40"}, {'/', "%2F"}, {'?', "%3F"}, {'#', "%23"}, {'%', "%25"}};

} // namespace

static bool isHexadecimal(std::string_view text)
{
    return std::all_of(text.begin(), text.end(),
                       [](unsigned char letter) { return std::isxdigit(letter) != 0; });
}

static bool holdsRaw(std::string_view userPart, char letter)
{
    for (std::size_t at = 0; (at = userPart.find(letter, at)) != std::string_view::npos; ++at) {
        const std::string_view digits = userPart.substr(at + 1, 2);
        if (letter != '%' || digits.size() < 2 || !isHexadecimal(digits))
            return true;
    }
    return false;
}

static void requireClear(const ConfigValue& place, std::string_view userPart)
{
    std::string advice;
    for (const auto& [letter, code] : reserved) {
        if (!holdsRaw(userPart, letter))
            continue;
        advice += advice.empty() ? "" : ", ";
        (advice += letter).append(" as ").append(code);
    }
    if (advice.empty())
        return;
    const bool isBehind = userPart.find_first_of("/?#") != std::string_view::npos
        && userPart.find('@') == std::string_view::npos;
    place.fail("has a user part that can't be told from the rest: in a user name or a password, "
               "write "
               + advice + (isBehind ? "; behind the host, write @ as %40" : ""));
}

static std::string decoded(std::string_view text)
{
    return QByteArray::fromPercentEncoding(QByteArray(text.data(), qsizetype(text.size())))
        .toStdString();
}

ServerUrl ServerUrl::parse(const ConfigValue& place, const std::string& text)
{
    ServerUrl url;
    const std::size_t mark = text.find(slashes);
    if (mark == std::string::npos)
        place.fail("is no URL: it has no \"://\"");
    url.scheme = text.substr(0, mark);
    const std::string_view body = std::string_view(text).substr(mark + slashes.size());
    const std::size_t at = body.rfind('@');
    const bool hasUser = at != std::string_view::npos;
    const std::string_view userPart = body.substr(0, hasUser ? at : 0);
    requireClear(place, userPart);
    const std::size_t colon = userPart.find(':');
    url.username = decoded(userPart.substr(0, colon));
    if (colon != std::string_view::npos)
        url.password = decoded(userPart.substr(colon + 1));
    url.rest = text.substr(0, mark).append(slashes).append(body.substr(hasUser ? at + 1 : 0));
    if (!isUtf8(url.rest))
        place.fail("is not UTF-8");
    return url;
}

bool isHost(std::string_view text)
{
    constexpr qsizetype longest = 255;
    const QString host = QString::fromUtf8(text.data(), qsizetype(text.size()));
    if (host.contains(u':')) // with what names a network card, perhaps, which may be anything
        return !QHostAddress(host).isNull() && isHost(host.section(u'%', 1).toStdString() + "_");
    return !host.isEmpty() && host.size() <= longest && isUtf8(text)
        && std::all_of(host.begin(), host.end(), [](QChar letter) {
               return letter.isLetterOrNumber() || letter.isMark() || letter == u'-'
                   || letter == u'.' || letter == u'_';
           });
}

void requireHost(const ConfigValue& place, std::string_view text)
{
    if (!isHost(text))
        place.fail("must be a host's name or address alone, without port, user or password");
}

void requireName(const ConfigValue& place, std::string_view text)
{
    if (text.find(slashes) != std::string_view::npos)
        place.fail("must be a name, not a URL");
}

} // namespace lockboard
