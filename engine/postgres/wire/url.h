// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>

namespace lockboard {
class ConfigValue;
}

namespace lockboard::postgres {

//! libpq's connection parameters by their names.
using Words = std::map<std::string, std::string>;

//! Reads a URL or libpq's keywords (`host=db password='a b'`) as libpq does, but for what libpq
//! understands otherwise than whoever wrote it: a user part that isn't clear (server_url.h), and a
//! parameter that is given twice. Words that sentences repeat are what they should be: no URL in
//! the place of a host or a database. \throws ConfigError, which never repeats a value
[[nodiscard]] Words readPostgresUrl(const ConfigValue& place);

//! What libpq says of a connection, without the values of parameters that nobody needs to see:
//! whatever was given as a password, and what stands in the place of a word that libpq quotes.
[[nodiscard]] std::string withoutWords(std::string said, const Words& words);

} // namespace lockboard::postgres
