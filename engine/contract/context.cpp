// SPDX-License-Identifier: MIT
#include "engine/contract/context.h"

namespace lockboard {

SharedContext::SharedContext() = default;
SharedContext::SharedContext(const SharedContext&) = default;
SharedContext::SharedContext(SharedContext&&) noexcept = default;
SharedContext& SharedContext::operator=(const SharedContext&) = default;
SharedContext& SharedContext::operator=(SharedContext&&) noexcept = default;
SharedContext::~SharedContext() = default;

const SharedContext::Fields& SharedContext::fields() const
{
    static const Fields none;
    return m_fields ? *m_fields : none;
}

SharedContext::Fields& SharedContext::edit()
{
    if (!m_fields)
        m_fields = new Fields;
    return *m_fields;
}

} // namespace lockboard
