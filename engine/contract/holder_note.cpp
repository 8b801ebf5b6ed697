// SPDX-License-Identifier: MIT
#include "engine/contract/holder_note.h"

namespace lockboard {

HolderNote::HolderNote() = default;
HolderNote::HolderNote(const HolderNote&) = default;
HolderNote::HolderNote(HolderNote&&) noexcept = default;
HolderNote& HolderNote::operator=(const HolderNote&) = default;
HolderNote& HolderNote::operator=(HolderNote&&) noexcept = default;
HolderNote::~HolderNote() = default;

bool HolderNote::Fields::operator==(const Fields& other) const
{
    return host == other.host && pid == other.pid && program == other.program
        && acquiredAt == other.acquiredAt && requestId == other.requestId
        && session == other.session && user == other.user && activity == other.activity
        && transactionBegan == other.transactionBegan && queryBegan == other.queryBegan
        && blockedBy == other.blockedBy;
}

bool HolderNote::operator==(const HolderNote& other) const
{
    return m_fields == other.m_fields || fields() == other.fields();
}

const HolderNote::Fields& HolderNote::fields() const
{
    static const Fields none;
    return m_fields ? *m_fields : none;
}

HolderNote::Fields& HolderNote::edit()
{
    if (!m_fields)
        m_fields = new Fields;
    return *m_fields;
}

} // namespace lockboard
