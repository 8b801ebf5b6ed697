// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard {

//! The same text; user and password of every URL in it are asterisks, and what follows `password=`.
[[nodiscard]] std::string withoutCredentials(std::string text);

//! Makes them asterisks in a program's own arguments, which everyone on the machine may read. Once
//! the arguments have been understood.
void hideCredentials(int argc, char** argv);

} // namespace lockboard
