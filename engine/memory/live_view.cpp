// SPDX-License-Identifier: MIT
#include "engine/memory/live_view.h"

#include "engine/memory/provider.h"

namespace lockboard::memory {

View::View(Provider& provider)
    : m_provider(&provider)
{
}

void View::detach()
{
    m_provider = nullptr;
    setState(SourceState(SourceState::Failed, tr("The provider was closed.")));
}

void View::doStart()
{
    doRefresh();
}

void View::doRefresh()
{
    if (!m_provider)
        return;
    flush(); // what was noted so far belongs to the time before the snapshot
    Q_EMIT snapshotStarted();
    const LockBatch all = m_provider->snapshot();
    constexpr qsizetype batchSize = 10'000;
    for (qsizetype i = 0; i < all.size(); i += batchSize)
        Q_EMIT snapshotBatch(all.mid(i, batchSize));
    Q_EMIT snapshotCompleted();
    setState(SourceState(SourceState::Live));
}

} // namespace lockboard::memory
