// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/live_view.h"

namespace lockboard::memory {

class Provider;

//! Pushed by its provider at every change.
class View final : public LiveView {
    Q_OBJECT

public:
    explicit View(Provider& provider);

    //! The provider is going away.
    void detach();
    using LiveView::note;

protected:
    void doStart() override;
    void doRefresh() override;

private:
    Provider* m_provider;
};

} // namespace lockboard::memory
