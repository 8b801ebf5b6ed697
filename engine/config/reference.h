// SPDX-License-Identifier: MIT
#pragma once

#include <string>

//! What the strings of a configuration may refer to rather than say. Whatever goes wrong is thrown
//! as std::runtime_error: a phrase about the value that names the variable or the file, and never
//! repeats what is in it.

namespace lockboard {

//! `${env:NAME}` becomes an environment variable's value, `${file:PATH}` a file's content without
//! one newline at its end, `$${` the characters `${`. In a URL, what is put into the midst of the
//! text is percent-encoded, so that a password may contain anything.
[[nodiscard]] std::string expandReferences(const std::string& text, const std::string& folder,
                                           bool isUrl);

//! The text is one reference and nothing else.
[[nodiscard]] bool isReference(const std::string& text);

//! What is in a file; `verb` is what the value does with it: "names". `shown` is its name as a
//! sentence may repeat it, which is not what a reference in it stands for.
[[nodiscard]] std::string readNamedFile(const std::string& name, const std::string& shown,
                                        const std::string& folder, const std::string& verb);

} // namespace lockboard
