// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace lockboard::postgres {

//! `text` on one line, each `@name` in it replaced by what it stands for, which is left as it is:
//! names of tables may hold anything. Names are lower-case letters; one that is not known stays.
[[nodiscard]] std::string filledIn(std::string_view text,
                                   const std::map<std::string_view, std::string>& names);
//! What a statement names without a schema is looked for along the search path of whoever sends it,
//! and a better match anywhere on it wins over the server's own: whoever may create functions in
//! one of its schemas could have statements run theirs. So each of our statements names every
//! function, type, table and operator with its schema: `@eq` and its like become
//! `OPERATOR(pg_catalog.=)`,
//! `@text` becomes `pg_catalog.text`. It has no IN, LIKE, BETWEEN, NULLIF, IS DISTINCT FROM or CASE
//! of a value, because these look operators up by their names; such an operator binds like any
//! other, so parentheses say what belongs together.
[[nodiscard]] std::string qualified(std::string_view text);
//! As a string in SQL.
[[nodiscard]] std::string quotedText(std::string_view text);

} // namespace lockboard::postgres
