// SPDX-License-Identifier: MIT
#include "engine/contract/run.h"

#include <QCoreApplication>
#include <QThread>

namespace lockboard::detail {

void expectNoLoop()
{
    if (!QCoreApplication::instance())
        throw InvalidArgument("runToEnd needs a QCoreApplication: make one first, in main().");
    if (QThread::currentThread()->loopLevel() > 0) {
        throw InvalidArgument("runToEnd was called where an event loop runs already: co_await the "
                              "call there, or start it with letRun().");
    }
}

} // namespace lockboard::detail
