// SPDX-License-Identifier: MIT
#pragma once

#include <QListView>

namespace lockboard {

//! A list with a heading, for the side of the window.
class SideList final : public QWidget {
    Q_OBJECT

public:
    SideList(const QString& heading, QAbstractItemModel* model, const QString& listName,
             QWidget* parent = nullptr);
    [[nodiscard]] QListView* list() const { return m_list; }

private:
    QListView* m_list;
};

} // namespace lockboard
