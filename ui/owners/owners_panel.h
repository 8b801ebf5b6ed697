// SPDX-License-Identifier: MIT
#pragma once

#include <QWidget>

namespace lockboard {

class OwnersModel;
class SideList;

//! The owners and their counts; choosing one filters by it.
class OwnersPanel final : public QWidget {
    Q_OBJECT

public:
    explicit OwnersPanel(OwnersModel& model, QWidget* parent = nullptr);

    //! Marks the entry that stands for this filter, if one does.
    void showFilter(const QString& filter);

Q_SIGNALS:
    void filterChosen(const QString& filter);
    void releaseRequested(const std::string& owner);

private:
    void showMenu(const QPoint& at);

    OwnersModel& m_model;
    SideList* m_side;
    QString m_filter;
};

} // namespace lockboard
