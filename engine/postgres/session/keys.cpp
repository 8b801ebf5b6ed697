// SPDX-License-Identifier: MIT
#include "engine/postgres/session/keys.h"

#include "engine/contract/errors.h"
#include "engine/contract/medusa_hash.h"

#include <set>

namespace lockboard::postgres {

void requireText(const LockKeys& keys, const Owner& owner)
{
    const auto isText = [](const std::string& bytes) {
        return isUtf8(bytes) && bytes.find('\0') == std::string::npos;
    };
    for (const std::string& key : keys) {
        if (!isText(key))
            throw InvalidArgument("The key \"" + printableStart(key)
                                  + "\" is not UTF-8 text, and PostgreSQL can store no other.");
    }
    if (owner && !isText(*owner))
        throw InvalidArgument("The owner \"" + printableStart(*owner)
                              + "\" is not UTF-8 text, and PostgreSQL can store no other.");
}

std::string arrayOf(const LockKeys& keys)
{
    Array array;
    for (const std::string& key : keys)
        array.add(key);
    return array.text();
}

std::vector<std::uint32_t> hashesOf(const LockKeys& keys)
{
    std::vector<std::uint32_t> hashes;
    for (const std::string& key : keys)
        hashes.push_back(medusaHash(key));
    return hashes;
}

int placeOf(std::uint32_t hash)
{
    constexpr std::uint32_t places = 512;
    return static_cast<int>(hash % places);
}

std::string placesOf(const std::vector<std::uint32_t>& hashes)
{
    std::set<int> places;
    for (const std::uint32_t hash : hashes)
        places.insert(placeOf(hash));
    Array array;
    for (const int place : places)
        array.add(place);
    return array.text();
}

Parameters unlockParameters(const std::map<std::uint32_t, int>& locks)
{
    Array hashes, times;
    for (const auto& [hash, count] : locks) {
        hashes.add(static_cast<std::int64_t>(hash));
        times.add(static_cast<std::int64_t>(count));
    }
    Parameters parameters;
    parameters << hashes.text() << times.text();
    return parameters;
}

std::optional<std::string> msText(std::optional<Duration> lease)
{
    return lease ? std::optional(std::to_string(lease->count())) : std::nullopt;
}

std::string freedPayload(const std::string& key)
{
    constexpr std::size_t longest = 7000; // the server takes 8000 bytes
    return freed + (key.size() <= longest ? key : std::string());
}

} // namespace lockboard::postgres
