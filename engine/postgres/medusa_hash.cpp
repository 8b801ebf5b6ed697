// SPDX-License-Identifier: MIT
#include "engine/postgres/medusa_hash.h"

#include <QString>

namespace lockboard {

std::uint32_t medusaHash(const std::string& key)
{
    const QString units = QString::fromStdString(key);
    std::uint32_t hash = 5381;
    for (auto unit = units.crbegin(); unit != units.crend(); ++unit)
        hash = (hash * 33U) ^ unit->unicode();
    return hash;
}

} // namespace lockboard
