// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/url.h"

#include "engine/config/server_url.h"
#include "engine/config/value.h"

#include <QByteArray>
#include <QHostAddress>
#include <QString>

#include <libpq-fe.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>

namespace lockboard::postgres {

static constexpr std::string_view spaces = " \t\n\r\f\v";

static Words parsed(const ConfigValue& place, const std::string& text)
{
    char* error = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(text.c_str(), &error), &PQconninfoFree);
    PQfreemem(error); // it may repeat the password
    if (!options || text.empty())
        place.fail("must be a URL such as postgres://user@host:5432/database, or libpq's keywords "
                   "such as host=/run/postgresql dbname=shop, a value with a space or a quote in "
                   "single quotes, and in them a quote as \\' and a backslash as \\\\");
    Words words;
    for (const PQconninfoOption* one = options.get(); one->keyword; ++one) {
        if (one->val)
            words[one->keyword] = one->val;
    }
    return words;
}

//! A password that isn't quoted, or a `&` in one, may look like a parameter.
class Once final {
public:
    explicit Once(const ConfigValue& place)
        : m_place(place)
    {
    }
    void take(const std::string& name)
    {
        if (!m_seen.insert(name).second)
            m_place.fail("gives a parameter twice; in a URL's password write & as %26, among "
                         "keywords put it into single quotes");
    }

private:
    const ConfigValue& m_place;
    std::set<std::string> m_seen;
};

//! libpq has found it good, and goes by these rules.
static void requireKeywordsOnce(const ConfigValue& place, std::string_view text)
{
    Once once(place);
    const auto skipSpaces = [&text] {
        text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    };
    for (skipSpaces(); !text.empty(); skipSpaces()) {
        const std::size_t sign = std::min(text.find('='), text.size());
        const std::string_view name = text.substr(0, sign);
        once.take(std::string(name.substr(0, name.find_first_of(spaces))));
        text.remove_prefix(std::min(sign + 1, text.size()));
        skipSpaces();
        const bool isQuoted = text.starts_with('\'');
        std::size_t end = isQuoted ? 1 : 0;
        while (end < text.size()
               && (isQuoted ? text[end] != '\'' : spaces.find(text[end]) == spaces.npos))
            end += text[end] == '\\' ? 2 : 1;
        text.remove_prefix(std::min(end + (isQuoted ? 1 : 0), text.size()));
    }
}

static std::string decoded(std::string_view text)
{
    return QByteArray::fromPercentEncoding(QByteArray(text.data(), qsizetype(text.size())))
        .toStdString();
}

static Words readUrl(const ConfigValue& place, const std::string& text)
{
    const ServerUrl url = ServerUrl::parse(place, text);
    if ((url.username + url.password).find('\0') != std::string::npos)
        place.fail("holds a NUL character");
    Once once(place);
    std::string_view rest = std::string_view(url.rest).substr(url.scheme.size() + 3);
    const std::string_view authority = rest.substr(0, rest.find_first_of("/?"));
    if (!authority.empty() && authority.front() != ':')
        once.take("host");
    const std::size_t bracket = authority.rfind(']');
    const std::size_t behind = bracket == std::string_view::npos ? 0 : bracket;
    if (authority.find(':', behind) != std::string_view::npos)
        once.take("port");
    const std::string_view path = rest.substr(authority.size());
    if (path.starts_with('/') && path.size() > 1 && path[1] != '?')
        once.take("dbname");
    if (!url.username.empty())
        once.take("user");
    if (!url.password.empty())
        once.take("password");
    std::size_t from = rest.find('?');
    while (from != std::string_view::npos) {
        rest.remove_prefix(from + 1);
        once.take(decoded(rest.substr(0, rest.find_first_of("=&"))));
        from = rest.find('&');
    }
    Words words = parsed(place, url.rest);
    if (!url.username.empty())
        words["user"] = url.username;
    if (!url.password.empty())
        words["password"] = url.password;
    return words;
}

//! Each part of a list of hosts, ports or addresses.
template <typename Judge> static bool allOf(const std::string& list, const Judge& good)
{
    for (std::string_view rest = list;;) {
        const std::size_t comma = rest.find(',');
        if (!good(rest.substr(0, comma)))
            return false;
        if (comma == std::string_view::npos)
            return true;
        rest.remove_prefix(comma + 1);
    }
}

static bool isPort(std::string_view text)
{
    bool good = false;
    const int number = QString::fromUtf8(text.data(), qsizetype(text.size())).toInt(&good);
    return text.empty() || (good && number > 0 && number < 65536);
}

//! A name, an address, a folder of sockets, or, begun by an @, an abstract one.
static bool isHostOrSocket(std::string_view text)
{
    if (text.starts_with('/') || text.starts_with('@'))
        return text.find(':') == std::string_view::npos
            && text.find('@', 1) == std::string_view::npos;
    return text.empty() || isHost(text);
}

static bool isAddress(std::string_view text)
{
    return text.empty()
        || (isHost(text)
            && !QHostAddress(QString::fromUtf8(text.data(), qsizetype(text.size()))).isNull());
}

static void judge(const ConfigValue& place, const Words& words)
{
    const auto word = [&words](const char* name) {
        const auto found = words.find(name);
        return found == words.end() ? std::string() : found->second;
    };
    // libpq would take a mistyped one for no port and no host at all, and go elsewhere.
    if (!allOf(word("port"), isPort))
        place.fail("names a port that is not a number from 1 to 65535");
    if (!allOf(word("host"), isHostOrSocket))
        place.fail("names a host that is neither a host's name or address nor a folder");
    if (!allOf(word("hostaddr"), isAddress))
        place.fail("has a hostaddr that is no address");
    if (word("user").find(':') != std::string::npos)
        place.fail("names a user with a : in it; what is behind it may be a password");
    if (word("dbname").find("://") != std::string::npos
        || word("dbname").find('=') != std::string::npos)
        place.fail("names a database that is a connection string itself");
    static const std::set<std::string> modes{"",        "disable",   "allow",      "prefer",
                                             "require", "verify-ca", "verify-full"};
    if (!modes.contains(word("sslmode")))
        place.fail("has an sslmode that is none of libpq's");
}

Words readPostgresUrl(const ConfigValue& place)
{
    const std::string text = place.toUrl();
    if (!isUtf8(text) && text.find("://") == std::string::npos)
        place.fail("is not UTF-8");
    const bool isUrl = text.starts_with("postgres://") || text.starts_with("postgresql://");
    const Words given = isUrl ? readUrl(place, text) : parsed(place, text);
    if (!isUrl)
        requireKeywordsOnce(place, text);
    // What isn't given comes from the environment, and is repeated just so.
    Words all = given;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> defaults(PQconndefaults(),
                                                                                &PQconninfoFree);
    for (const PQconninfoOption* one = defaults.get(); one && one->keyword; ++one) {
        if (one->val)
            all.try_emplace(one->keyword, one->val);
    }
    judge(place, all);
    return given;
}

static void replaceAll(std::string& text, const std::string& what, const std::string& with)
{
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
        text.replace(at, what.size(), with);
}

//! It may be said: a plain path, or a word that has been looked at.
static bool isShown(const std::string& name, const std::string& value)
{
    static const std::set<std::string> harmless{"host", "hostaddr", "port", "user", "dbname"};
    static constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789/._-~";
    static const std::set<std::string> paths{"passfile", "sslcert",   "sslkey",     "sslrootcert",
                                             "sslcrl",   "sslcrldir", "servicefile"};
    return harmless.contains(name)
        || (paths.contains(name) && value.find('/') != std::string::npos
            && value.find_first_not_of(plain) == std::string::npos);
}

std::string withoutWords(std::string said, const Words& words)
{
    constexpr std::size_t shortest = 4; // anything shorter is in every sentence
    for (const auto& [name, value] : words) {
        if (value.empty() || isShown(name, value))
            continue;
        replaceAll(said, '"' + value + '"', "\"****\"");
        if (name.find("password") != std::string::npos && value.size() >= shortest)
            replaceAll(said, value, "****");
    }
    return said;
}

} // namespace lockboard::postgres
