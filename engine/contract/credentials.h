// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace lockboard {

//! A word that somebody gave (an argument, a file's or an option's name), fit to be repeated in a
//! sentence: printable, of bounded length, and of a connection string, or what may be a piece of
//! one, no more than its scheme: `redis://****`. Nobody can tell where a password ends in a word
//! that is wrong already.
[[nodiscard]] std::string shownWord(std::string_view word);

//! The same sentence; user and password of every URL in it are asterisks, and what follows
//! `password=`. The net below shownWord(): our own examples, `postgres://user@host`, stay.
[[nodiscard]] std::string withoutCredentials(std::string sentence);

//! Makes them asterisks in a program's own arguments, which everyone on the machine may read. Once
//! the arguments have been understood.
void hideCredentials(int argc, char** argv);

} // namespace lockboard
