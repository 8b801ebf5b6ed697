// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArray>
#include <QString>

#include <optional>
#include <string>

class QJsonObject;

namespace lockboard {

//! What a terminal would obey, or what turns or hides the text around it, rather than show:
//! control characters and characters of format, as Unicode calls them, and separators of lines.
[[nodiscard]] bool isDevious(char32_t character);

//! `bytes` as text that stands for exactly these bytes; none if they aren't UTF-8 that survives.
[[nodiscard]] std::optional<QString> exactText(const std::string& bytes);

//! One line of JSON without its end. Its strings are as they are once it is read; as it stands, it
//! has nothing in it that a terminal would obey: such characters are written as `\uXXXX`.
[[nodiscard]] QByteArray toSafeJson(const QJsonObject& object);

//! Puts `bytes` under `name`; if they aren't UTF-8, escaped, with the bytes themselves as
//! `nameBase64`.
void insertBytes(QJsonObject& object, const QString& name, const std::string& bytes);

} // namespace lockboard
