// SPDX-License-Identifier: MIT
#pragma once

class QMainWindow;
class QSplitter;

namespace lockboard {

class LockTableView;

//! Remembers, on this machine, how the window was laid out. No secrets, no data.
class WindowMemory final {
public:
    WindowMemory(QMainWindow& window, QSplitter& sides, QSplitter& rows, LockTableView& table);
    void restore();
    void save() const;

private:
    QMainWindow& m_window;
    QSplitter& m_sides;
    QSplitter& m_rows;
    LockTableView& m_table;
};

} // namespace lockboard
