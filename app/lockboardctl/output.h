// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

#include <string>
#include <string_view>

class QJsonObject;

namespace lockboard::ctl {

//! Standard output failed otherwise than by a reader who has seen enough.
class OutputError final { };
//! The reader of standard output has gone (`| head`): nothing is wrong.
class OutputClosed final { };

//! Writes a line to standard output. \throws OutputError, OutputClosed
void writeLine(std::string_view line);
void writeLine(const QJsonObject& object);
//! What was written so far is on its way. \throws OutputError, OutputClosed
void flushOutput();

//! One sentence to standard error, behind the program's name.
void complain(std::string_view sentence);
//! The same, unless that was said before.
void complainOnce(std::string_view sentence);
[[nodiscard]] bool errorsGoToTerminal();

} // namespace lockboard::ctl
