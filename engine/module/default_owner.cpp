// SPDX-License-Identifier: MIT
#include "engine/module/default_owner.h"

#include "engine/module/audit_log.h"

#include <QRandomGenerator>

#include <algorithm>

#include <unistd.h>

namespace lockboard {

static constexpr std::string_view hexDigits = "0123456789abcdef";
static constexpr std::size_t randomDigits = 8;

std::string uniqueOwner()
{
    std::string owner = AuditLog::defaultOperator() + ':' + std::to_string(getpid()) + '-';
    std::uint32_t number = QRandomGenerator::system()->generate();
    for (std::size_t i = 0; i < randomDigits; ++i, number >>= 4)
        owner += hexDigits[number & 15];
    return owner;
}

bool isOwnDefault(const std::string& owner)
{
    const std::string operatorName = AuditLog::defaultOperator();
    if (!owner.starts_with(operatorName))
        return false;
    std::string_view rest = owner;
    rest.remove_prefix(operatorName.size());
    const std::size_t dash = rest.find('-');
    if (!rest.starts_with(':') || dash == rest.npos || dash < 2)
        return false;
    const std::string_view pid = rest.substr(1, dash - 1);
    const std::string_view random = rest.substr(dash + 1);
    return pid.find_first_not_of(hexDigits.substr(0, 10)) == pid.npos
        && random.size() == randomDigits && random.find_first_not_of(hexDigits) == random.npos;
}

} // namespace lockboard
