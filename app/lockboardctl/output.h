// SPDX-License-Identifier: MIT
#pragma once

#include <QString>

#include <string>
#include <string_view>

class QJsonObject;

namespace lockboard::ctl {

//! Standard output failed otherwise than by a reader who has seen enough.
class OutputError final {
public:
    explicit OutputError(int error)
        : m_error(error)
    {
    }
    [[nodiscard]] std::string reason() const; //!< in words
    //! A signal came while the reader took nothing.
    [[nodiscard]] bool isInterruption() const;

private:
    int m_error;
};
//! The reader of standard output has gone (`| head`): nothing is wrong.
class OutputClosed final { };

// Whatever is said passes here, and is made safe here: what a terminal would obey, or what turns or
// hides the text around it, is written as `\xNN`, in JSON as `\uXXXX`.

//! Writes a line to standard output. \throws OutputError, OutputClosed
void writeLine(std::string_view line);
void writeLine(const QJsonObject& object);
//! Text of our own, with lines in it.
void writeText(std::string_view text);
//! What was written so far is on its way. \throws OutputError, OutputClosed
void flushOutput();

//! Before anything is opened: a standard stream that is closed gets a file that can't be used, so
//! that no connection or file takes its place and is written to.
void occupyStandardStreams();
//! What Qt and the libraries say goes to standard error, one line each.
void catchMessages();
//! To the terminal, after which something is typed.
void writePrompt(std::string_view question);
//! One sentence to standard error, behind the program's name.
void complain(std::string_view sentence);
//! The same, unless that was said before.
void complainOnce(std::string_view sentence);
[[nodiscard]] bool errorsGoToTerminal();

} // namespace lockboard::ctl
