// SPDX-License-Identifier: MIT
#pragma once

class QHeaderView;
class QMainWindow;
class QSplitter;

namespace lockboard {

//! Remembers, on this machine, how the window was laid out. No secrets, no data.
class WindowMemory final {
public:
    WindowMemory(QMainWindow& window, QSplitter& sides, QSplitter& rows, QHeaderView& columns);
    void restore();
    void save() const;

private:
    QMainWindow& m_window;
    QSplitter& m_sides;
    QSplitter& m_rows;
    QHeaderView& m_columns;
};

} // namespace lockboard
