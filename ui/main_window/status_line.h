// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"

class QLabel;
class QStatusBar;

namespace lockboard {

class Badge;

//! The status bar: how many locks, how many of them shown and selected, and how the source is;
//! what is unsafe about it, or about us, stands out as a badge.
class StatusLine final : public QObject {
    Q_OBJECT

public:
    StatusLine(QStatusBar* bar, bool readOnly);
    //! `complete`: else the list is still loading, and there may be more.
    void showCounts(std::size_t total, std::size_t shown, std::size_t selected, bool complete);
    void showState(const QString& provider, const SourceState& state);

private:
    QLabel* m_counts;
    QLabel* m_state;
    Badge* m_warning;
};

} // namespace lockboard
