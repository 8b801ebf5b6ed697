// SPDX-License-Identifier: MIT
#include "ui/text/plain_text.h"

#include "engine/contract/lock.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QLabel>
#include <QTextDocument>

#include <algorithm>

namespace lockboard {

using namespace Qt::StringLiterals;

//! In bytes. What a server says of a problem is a sentence or two.
static constexpr std::size_t longestSentence = 2000;
//! In characters. A tip with a longer line than this is wrapped.
static constexpr qsizetype longestLine = 120;

QString printableText(std::string_view bytes)
{
    return QString::fromStdString(printable(bytes));
}

QString shownText(std::string_view bytes)
{
    return QString::fromStdString(printableStart(bytes));
}

QString sentenceText(std::string_view sentence)
{
    return QString::fromStdString(printableStart(sentence, longestSentence));
}

QString sentenceText(const QString& sentence)
{
    return sentenceText(sentence.toStdString());
}

static bool goesLeft(QChar c)
{
    return c.direction() == QChar::DirR || c.direction() == QChar::DirAL
        || c.direction() == QChar::DirAN || c.isSurrogate();
}

QString isolated(const QString& name)
{
    static constexpr QChar firstStrongIsolate(0x2068);
    static constexpr QChar popDirectionalIsolate(0x2069);
    return std::any_of(name.begin(), name.end(), goesLeft)
        ? firstStrongIsolate + name + popDirectionalIsolate
        : name;
}

QString inQuotes(std::string_view name)
{
    return u'“' + isolated(shownText(name)) + u'”';
}

QString tipText(const QString& text)
{
    const QList<QStringView> lines = QStringView(text).split(u'\n');
    const bool wraps = std::any_of(lines.begin(), lines.end(),
                                   [](QStringView line) { return line.size() > longestLine; });
    return wraps || Qt::mightBeRichText(text)
        ? u"<p style='white-space:pre-wrap'>"_s + text.toHtmlEscaped() + u"</p>"_s
        : text;
}

QString titleText(const QString& text)
{
    return QString(text).replace(u"[*]"_s, u"[*][*]"_s);
}

void makePlain(QWidget* dialog)
{
    for (QLabel* label : dialog->findChildren<QLabel*>())
        label->setTextFormat(Qt::PlainText);
}

bool copyLines(const QStringList& lines)
{
    static const QString formulaSigns = u"=+-@\uff1d\uff0b\uff0d\uff20"_s; // also in full width
    bool marked = false;
    QStringList safe;
    safe.reserve(lines.size());
    for (const QString& line : lines) {
        const bool isFormula = !line.isEmpty() && formulaSigns.contains(line.front());
        safe << (isFormula ? u'\'' + line : line);
        marked = marked || isFormula;
    }
    QGuiApplication::clipboard()->setText(safe.join(u'\n'));
    return marked;
}

} // namespace lockboard
