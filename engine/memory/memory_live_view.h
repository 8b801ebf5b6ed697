// SPDX-License-Identifier: MIT
#pragma once

#include "engine/live_view.h"

namespace lockboard {

class MemoryProvider;

//! Pushed by its provider at every change.
class MemoryLiveView final : public LiveView {
    Q_OBJECT

public:
    explicit MemoryLiveView(MemoryProvider& provider);

    //! The provider is going away.
    void detach();
    using LiveView::note;

protected:
    void doStart() override;
    void doRefresh() override;

private:
    MemoryProvider* m_provider;
};

} // namespace lockboard
