// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/template.h"

#include <algorithm>

namespace lockboard::postgres {

static bool isSpace(char letter)
{
    return letter == ' ' || letter == '\n' || letter == '\t';
}

static bool isOfAName(char letter)
{
    return letter >= 'a' && letter <= 'z';
}

std::string filledIn(std::string_view text, const std::map<std::string_view, std::string>& names)
{
    std::string sql;
    for (auto at = text.begin(); at != text.end();) {
        if (isSpace(*at)) {
            at = std::find_if_not(at, text.end(), isSpace);
            if (!sql.empty() && at != text.end())
                sql += ' ';
            continue;
        }
        if (*at == '@') {
            const auto end = std::find_if_not(at + 1, text.end(), isOfAName);
            const auto known = names.find(std::string_view(at + 1, end));
            if (known != names.end()) {
                sql += known->second;
                at = end;
                continue;
            }
        }
        sql += *at++;
    }
    return sql;
}

static std::string own(const char* sign)
{
    return "OPERATOR(pg_catalog." + std::string(sign) + ')';
}

std::string qualified(std::string_view text)
{
    static const std::map<std::string_view, std::string> names{
        {"eq", own("=")},   {"lt", own("<")},    {"le", own("<=")},   {"gt", own(">")},
        {"plus", own("+")}, {"minus", own("-")}, {"times", own("*")}, {"by", own("/")},
        {"mod", own("%")},  {"cat", own("||")},  {"like", own("~~")}, {"text", "pg_catalog.text"}};
    return filledIn(text, names);
}

std::string quotedText(std::string_view text)
{
    std::string quoted = "'";
    for (const char letter : text)
        quoted.append(letter == '\'' ? 2 : 1, letter);
    return quoted + '\'';
}

} // namespace lockboard::postgres
