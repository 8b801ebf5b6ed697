// SPDX-License-Identifier: MIT
#pragma once

#include <QStringList>

#include <string>
#include <vector>

namespace lockboard::test {

//! What a statement looks up along the search path: functions, operators, types and tables that it
//! does not name with a schema, in the bodies that it holds too. Knows the SQL that Lockboard
//! writes, not all there is.
[[nodiscard]] std::vector<std::string> unqualifiedIn(const std::string& sql);

//! SQL that puts functions, operators, types and views of the names that these statements use into
//! the schema public, for many combinations of types. Each writes `shadowed` to the server's log
//! when it is run.
[[nodiscard]] std::string shadowsOf(const QStringList& statements);

} // namespace lockboard::test
