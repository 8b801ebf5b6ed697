// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <QWidget>

class QAction;

namespace lockboard {

class OwnersModel;
class SideList;

//! The owners and their counts; choosing one filters by it.
class OwnersPanel final : public QWidget {
    Q_OBJECT

public:
    OwnersPanel(OwnersModel& model, bool readOnly, QWidget* parent = nullptr);

    //! Marks the entry that stands for this filter, if one does.
    void showFilter(const QString& filter);
    //! The owner that the keyboard is on; none: the focus is elsewhere, or on no single owner.
    [[nodiscard]] Owner focusedOwner() const;

Q_SIGNALS:
    void filterChosen(const QString& filter);
    void releaseRequested(const std::string& owner);

private:
    void showMenu(const QPoint& at);
    void mark();

    OwnersModel& m_model;
    SideList* m_side;
    QAction* m_release;
    QString m_filter;
};

} // namespace lockboard
