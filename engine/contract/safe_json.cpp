// SPDX-License-Identifier: MIT
#include "engine/contract/safe_json.h"

#include "engine/contract/lock.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QStringView>

#include <algorithm>

namespace lockboard {

using namespace Qt::StringLiterals;

std::optional<QString> exactText(const std::string& bytes)
{
    const QByteArray raw = QByteArray::fromStdString(bytes);
    QString text = QString::fromUtf8(raw);
    // The way back decides: a byte order mark, say, is UTF-8 that does not survive.
    if (text.toUtf8() != raw)
        return {};
    return text;
}

static void appendEscape(QByteArray& out, char16_t unit)
{
    out += "\\u" + QByteArray::number(unit, 16).rightJustified(4, '0');
}

QByteArray toSafeJson(const QJsonObject& object)
{
    const QByteArray json = QJsonDocument(object).toJson(QJsonDocument::Compact);
    const auto isPlain = [](char byte) { return byte >= 0x20 && byte < 0x7f; };
    if (std::all_of(json.begin(), json.end(), isPlain))
        return json;
    // All of them stand in strings: JSON has no other place for them.
    QByteArray out;
    out.reserve(json.size());
    const QString text = QString::fromUtf8(json);
    for (qsizetype i = 0; i < text.size();) {
        const bool isPair =
            text[i].isHighSurrogate() && i + 1 < text.size() && text[i + 1].isLowSurrogate();
        const char32_t character =
            isPair ? QChar::surrogateToUcs4(text[i], text[i + 1]) : text[i].unicode();
        const QStringView units = QStringView(text).mid(i, isPair ? 2 : 1);
        i += units.size();
        if (!isDevious(character)) {
            out += units.toUtf8();
            continue;
        }
        for (const QChar unit : units)
            appendEscape(out, unit.unicode());
    }
    return out;
}

void insertBytes(QJsonObject& object, const QString& name, const std::string& bytes)
{
    if (const std::optional<QString> text = exactText(bytes)) {
        object.insert(name, *text);
        return;
    }
    object.insert(name, QString::fromStdString(printable(bytes)));
    object.insert(name + u"Base64"_s,
                  QString::fromLatin1(QByteArray::fromStdString(bytes).toBase64()));
}

} // namespace lockboard
