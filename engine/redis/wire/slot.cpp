// SPDX-License-Identifier: MIT
#include "engine/redis/wire/slot.h"

#include <array>
#include <cstdint>
#include <vector>

namespace lockboard::redis::slot {

// CRC-16/XMODEM, as the specification of Redis Cluster says.
static constexpr std::array<std::uint16_t, 256> makeTable()
{
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < table.size(); ++byte) {
        unsigned crc = byte << 8;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1;
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}

int of(std::string_view key)
{
    static constexpr auto table = makeTable();
    const auto open = key.find('{');
    if (open != std::string_view::npos) {
        const auto close = key.find('}', open + 1);
        if (close != std::string_view::npos && close != open + 1)
            key = key.substr(open + 1, close - open - 1);
    }
    std::uint16_t crc = 0;
    for (const char letter : key)
        crc = static_cast<std::uint16_t>(
            crc << 8 ^ table[(crc >> 8 ^ static_cast<unsigned char>(letter)) & 0xff]);
    return crc % count;
}

const std::string& tag(int slot)
{
    static const std::vector<std::string> tags = [] {
        std::vector<std::string> found(count);
        for (int number = 0, left = count; left > 0; ++number) {
            std::string text = std::to_string(number);
            std::string& place = found[static_cast<std::size_t>(of(text))];
            if (place.empty()) {
                place = std::move(text);
                --left;
            }
        }
        return found;
    }();
    return tags[static_cast<std::size_t>(slot)];
}

} // namespace lockboard::redis::slot
