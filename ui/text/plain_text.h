// SPDX-License-Identifier: MIT
#pragma once

#include <QString>
#include <QStringList>

#include <string_view>

class QWidget;

namespace lockboard {

// Keys, owners, notes, errors and ids are what others wrote: a store, a server, a config. They are
// shown as they are and never obeyed, and this is the one place that sees to it: not as markup, not
// as control characters or directions of writing, not as a mark in a title, not as a formula of the
// spreadsheet that they are pasted into.

//! Bytes for a person (printable), as a QString.
[[nodiscard]] QString printableText(std::string_view bytes);
//! The same of what may be long, for a cell or a sentence (printableStart).
[[nodiscard]] QString shownText(std::string_view bytes);
//! A sentence of the engine's, which may repeat what others said; long ones are cut.
[[nodiscard]] QString sentenceText(std::string_view sentence);
[[nodiscard]] QString sentenceText(const QString& sentence);

//! A name as part of a sentence: if it is written from right to left, that ends with the name.
[[nodiscard]] QString isolated(const QString& name);
//! `“name”`, as shownText and isolated.
[[nodiscard]] QString inQuotes(std::string_view name);

//! A tool tip that says exactly this: Qt takes a tip for HTML where it looks like that, and breaks
//! the lines of no other.
[[nodiscard]] QString tipText(const QString& text);
//! A window's title that says exactly this: Qt replaces `[*]`.
[[nodiscard]] QString titleText(const QString& text);

//! All labels that a dialog of Qt's own has made show plain text.
void makePlain(QWidget* dialog);

//! Puts lines on the clipboard, each of which a spreadsheet takes for text: one that looks like a
//! formula gets an apostrophe, which is how one writes that there. True if any did.
bool copyLines(const QStringList& lines);

} // namespace lockboard
