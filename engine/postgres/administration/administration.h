// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/capabilities.h"
#include "engine/postgres/wire/call.h"

namespace lockboard::postgres {

class Provider;

//! What only PostgreSQL's provider can do: have sessions ended, and have the table tell of its
//! changes by a trigger. A part of the provider.
class Administration final : public SessionControl, public ChangeNotices {
public:
    explicit Administration(Provider& provider)
        : m_provider(provider)
    {
    }

    Task<std::string> endSession(SeenSession seen, SessionEnd how, SharedContext context) override;
    Task<std::string> installNotices(SharedContext context) override;
    Task<std::string> removeNotices(SharedContext context) override;

private:
    Task<std::string> changeTrigger(bool install);

    Provider& m_provider;
};

} // namespace lockboard::postgres
