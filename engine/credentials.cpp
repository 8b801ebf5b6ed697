// SPDX-License-Identifier: MIT
#include "engine/credentials.h"

#include <algorithm>
#include <span>

namespace lockboard {

//! As libpq takes them in a URL's parameters and among keywords; `sslpassword` too.
static void hideParametersIn(std::span<char> text)
{
    constexpr std::string_view mark = "password=";
    for (auto at = text.begin(); at != text.end();) {
        const auto from = std::search(at, text.end(), mark.begin(), mark.end());
        if (from == text.end())
            return;
        auto begin = from + std::ssize(mark);
        const bool isQuoted = begin != text.end() && *begin == '\'';
        if (isQuoted)
            ++begin;
        at = std::find_if(begin, text.end(), [isQuoted](char letter) {
            return isQuoted
                ? letter == '\''
                : std::string_view("& \t\r\n\"'").find(letter) != std::string_view::npos;
        });
        std::fill(begin, at, '*');
    }
}

static void hideIn(std::span<char> text)
{
    hideParametersIn(text);
    constexpr std::string_view mark = "://";
    for (auto at = text.begin(); at != text.end();) {
        const auto from = std::search(at, text.end(), mark.begin(), mark.end());
        if (from == text.end())
            return;
        const auto begin = from + std::ssize(mark);
        at = std::find_if(begin, text.end(), [](char letter) {
            return std::string_view(" \t\r\n\"'").find(letter) != std::string_view::npos;
        });
        // The last one: a password may hold another.
        const auto last = std::find(std::reverse_iterator(at), std::reverse_iterator(begin), '@');
        if (last.base() != begin)
            std::fill(begin, last.base() - 1, '*');
    }
}

std::string withoutCredentials(std::string text)
{
    hideIn(text);
    return text;
}

void hideCredentials(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i)
        hideIn(std::span(argv[i], std::string_view(argv[i]).size()));
}

} // namespace lockboard
