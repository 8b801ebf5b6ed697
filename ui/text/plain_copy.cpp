// SPDX-License-Identifier: MIT
#include "ui/text/plain_copy.h"

#include "ui/text/plain_text.h"

#include <QKeyEvent>

namespace lockboard {

PlainCopy::PlainCopy(QAbstractItemView* view)
    : QObject(view)
    , m_view(view)
{
    view->installEventFilter(this);
}

bool PlainCopy::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() != QEvent::KeyPress
        || !static_cast<QKeyEvent*>(event)->matches(QKeySequence::Copy))
        return QObject::eventFilter(watched, event);
    const QModelIndex current = m_view->currentIndex();
    if (current.isValid())
        copyLines({current.data().toString()});
    return true;
}

} // namespace lockboard
