// SPDX-License-Identifier: MIT
#pragma once

#include <QWidget>

namespace lockboard {

class ActivityLog;
class Commands;

//! What was done from this window, and over it what is still on its way.
class ActivityPanel final : public QWidget {
    Q_OBJECT

public:
    ActivityPanel(ActivityLog& log, Commands& commands, QWidget* parent = nullptr);
};

} // namespace lockboard
