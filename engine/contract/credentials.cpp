// SPDX-License-Identifier: MIT
#include "engine/contract/credentials.h"

#include "engine/contract/lock.h"

#include <algorithm>
#include <cctype>
#include <span>

namespace lockboard {

static constexpr std::string_view slashes = "://";
static constexpr std::string_view hidden = "****";

static bool isWordOfScheme(std::string_view text)
{
    constexpr std::size_t longest = 16;
    return !text.empty() && text.size() <= longest
        && std::all_of(text.begin(), text.end(), [](unsigned char letter) {
               return letter < 0x80
                   && (std::isalnum(letter) != 0 || letter == '+' || letter == '-'
                       || letter == '.');
           });
}

static bool holds(std::string_view text, std::string_view lowerCaseWord)
{
    const auto same = [](unsigned char one, char other) { return std::tolower(one) == other; };
    return std::search(text.begin(), text.end(), lowerCaseWord.begin(), lowerCaseWord.end(), same)
        != text.end();
}

//! A file may have an @ in its name; the piece of a URL that a space has cut hardly begins so.
static bool isPath(std::string_view word)
{
    return (word.starts_with('/') || word.starts_with("./") || word.starts_with("../"))
        && word.substr(0, word.rfind('@')).find(':') == std::string_view::npos;
}

std::string shownWord(std::string_view word)
{
    constexpr std::size_t longest = 500;
    const std::size_t mark = word.find(slashes);
    if (mark != std::string_view::npos) {
        std::string_view scheme = word.substr(0, mark);
        const bool isScheme = isWordOfScheme(scheme);
        return (isScheme ? std::string(scheme).append(slashes) : std::string()).append(hidden);
    }
    const bool mayBeSecret = (word.find('@') != std::string_view::npos && !isPath(word))
        || (word.find('=') != std::string_view::npos && holds(word, "pass"))
        || word.find("-----") != std::string_view::npos // a key in PEM form
        || word.find('\n') != std::string_view::npos;
    return mayBeSecret ? std::string(hidden) : printableStart(word, longest);
}

static std::span<char>::iterator findIn(std::span<char> text, std::string_view what)
{
    return std::search(text.begin(), text.end(), what.begin(), what.end());
}

static bool isEnd(char letter)
{
    return std::string_view(" \t\r\n\"'").find(letter) != std::string_view::npos;
}

//! As libpq takes them in a URL's parameters and among keywords, spaces around the sign or not;
//! `sslpassword` too. Where a whole argument is looked at, all that follows may belong to it.
static void hideParametersIn(std::span<char> text, bool isArgument)
{
    constexpr std::string_view mark = "password";
    for (auto rest = text;;) {
        auto at = findIn(rest, mark);
        if (at == rest.end())
            return;
        at += std::ssize(mark);
        auto begin = std::find_if_not(at, rest.end(), isEnd);
        if (begin == rest.end() || *begin != '=') {
            rest = std::span(at, rest.end());
            continue;
        }
        ++begin;
        begin = std::find_if_not(begin, rest.end(), [](char letter) { return letter == ' '; });
        const bool isQuoted = begin != rest.end() && *begin == '\'';
        if (isQuoted)
            ++begin;
        auto end = begin;
        while (end != rest.end() && (isQuoted ? *end != '\'' : *end != '&' && !isEnd(*end))) {
            if (*end == '\\' && end + 1 != rest.end()) // what it escapes ends nothing
                ++end;
            ++end;
        }
        if (isArgument)
            end = rest.end();
        std::fill(begin, end, '*');
        rest = std::span(end, rest.end());
    }
}

static std::span<char>::iterator lastAt(std::span<char> text)
{
    const auto last = std::find(text.rbegin(), text.rend(), '@');
    return last == text.rend() ? text.end() : last.base() - 1;
}

//! `host:6379/0`, rather than `:password`, cut by a space.
static bool namesPort(std::string_view text)
{
    const std::size_t colon = text.find(':');
    return colon == std::string_view::npos
        || (colon + 1 < text.size()
            && std::isdigit(static_cast<unsigned char>(text[colon + 1])) != 0);
}

static void hideUrlsIn(std::span<char> text, bool isArgument)
{
    for (auto rest = text;;) {
        const auto from = findIn(rest, slashes);
        if (from == rest.end())
            return;
        rest = std::span(from + std::ssize(slashes), rest.end());
        const auto end = isArgument ? rest.end() : std::find_if(rest.begin(), rest.end(), isEnd);
        const std::span<char> url(rest.begin(), end);
        const std::string_view shown(url.data(), url.size());
        // The last @: a password may hold another, and what ends a URL elsewhere.
        auto last = lastAt(url);
        if (last == url.end() && !url.empty() && !namesPort(shown))
            last = lastAt(rest) == rest.end() ? end : lastAt(rest);
        else if (last == url.end())
            last = url.begin();
        const auto length = static_cast<std::size_t>(last - rest.begin());
        // What our own examples say is no secret.
        if (isArgument || std::string_view(rest.data(), length) != "user")
            std::fill(rest.begin(), last, '*');
        rest = std::span(std::max(last, end), rest.end());
    }
}

static void hideIn(std::span<char> text, bool isArgument)
{
    hideParametersIn(text, isArgument);
    hideUrlsIn(text, isArgument);
}

std::string withoutCredentials(std::string sentence)
{
    hideIn(sentence, false);
    return sentence;
}

void hideCredentials(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i)
        hideIn(std::span(argv[i], std::string_view(argv[i]).size()), true);
}

} // namespace lockboard
