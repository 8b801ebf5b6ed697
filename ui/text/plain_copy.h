// SPDX-License-Identifier: MIT
#pragma once

#include <QAbstractItemView>

namespace lockboard {

//! What the copy key does in a list that has no action of its own for it: Qt's copies the cell as
//! it is, this one as copyLines() does.
class PlainCopy final : public QObject {
    Q_OBJECT

public:
    explicit PlainCopy(QAbstractItemView* view);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QAbstractItemView* m_view;
};

} // namespace lockboard
