// SPDX-License-Identifier: MIT
#include "engine/contract/lock.h"

#include "engine/contract/safe_json.h"

#include <QString>
#include <QStringDecoder>

#include <algorithm>

namespace lockboard {

LockKeys::LockKeys(std::vector<std::string> keys)
{
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    m_size = keys.size();
    if (m_size == 1)
        m_only = std::move(keys.front());
    else
        m_many = std::move(keys);
}

std::string Lock::identityOf(const std::string& key, LockState state, const HolderNote& note)
{
    if (state != LockState::Advisory && state != LockState::Waiting)
        return key;
    return key + '\0' + std::to_string(static_cast<int>(state)) + ' '
        + std::to_string(note.fields().pid);
}

Grant& Grant::withKeys(std::vector<KeyGrant> keys)
{
    m_keys = std::move(keys);
    m_leaseEnd.reset();
    m_extension = false;
    for (const KeyGrant& one : m_keys) {
        if (one.leaseEnd && (!m_leaseEnd || *one.leaseEnd < *m_leaseEnd))
            m_leaseEnd = one.leaseEnd;
        m_extension = m_extension || one.extended;
    }
    return *this;
}

KeyGrant Grant::of(const std::string& key) const
{
    const auto it = std::lower_bound(
        m_keys.begin(), m_keys.end(), key,
        [](const KeyGrant& one, const std::string& wanted) { return one.key < wanted; });
    return it == m_keys.end() || it->key != key ? KeyGrant(key, m_leaseEnd, m_extension) : *it;
}

std::vector<KeyGrant> Grant::outcomes(const LockKeys& keys) const
{
    std::vector<KeyGrant> all;
    all.reserve(keys.size());
    for (const std::string& key : keys)
        all.push_back(of(key));
    return all;
}

bool SeenLock::isStill(const Owner& holder, std::optional<TimePoint> end,
                       std::optional<FencingToken> current) const
{
    if (holder != owner)
        return false;
    if (token && current)
        return *token == *current;
    if (owner)
        return true;
    if (!leaseEnd || !end)
        return !leaseEnd && !end;
    return std::chrono::abs(*leaseEnd - *end) <= tolerance;
}

KeyRelease ReleaseResult::of(const std::string& key) const
{
    const auto it = std::find_if(m_left.begin(), m_left.end(),
                                 [&](const KeyRelease& left) { return left.key == key; });
    return it == m_left.end() ? KeyRelease(key, ReleaseOutcome::Released) : *it;
}

std::vector<KeyRelease> ReleaseResult::outcomes(const LockKeys& keys) const
{
    std::vector<KeyRelease> all;
    all.reserve(keys.size());
    auto left = m_left.begin();
    for (const std::string& key : keys) {
        if (left != m_left.end() && left->key == key)
            all.push_back(*left++);
        else
            all.emplace_back(key, ReleaseOutcome::Released);
    }
    return all;
}

void ReleaseAllResult::leave(const std::string& reason, std::uint64_t count)
{
    const auto it = std::find_if(reasons.begin(), reasons.end(),
                                 [&](const auto& known) { return known.first == reason; });
    if (it == reasons.end())
        reasons.emplace_back(reason, count);
    else
        it->second += count;
}

std::uint64_t ReleaseAllResult::left() const
{
    std::uint64_t sum = 0;
    for (const auto& [reason, count] : reasons)
        sum += count;
    return sum;
}

bool isUtf8(std::string_view bytes)
{
    QStringDecoder decoder(QStringDecoder::Utf8, QStringConverter::Flag::Stateless);
    const QString text = decoder.decode(QByteArrayView(bytes.data(), qsizetype(bytes.size())));
    return !decoder.hasError();
}

static void appendEscaped(std::string& out, std::string_view bytes)
{
    static constexpr char digits[] = "0123456789abcdef";
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        out += "\\x";
        out += digits[value >> 4];
        out += digits[value & 15];
    }
}

bool isDevious(char32_t character)
{
    switch (QChar::category(character)) {
    case QChar::Other_Control:
    case QChar::Other_Format:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
        return true;
    default:
        return false;
    }
}

//! The length of the well-formed UTF-8 sequence that begins with this byte.
static std::size_t sequenceLength(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

std::string printable(std::string_view bytes)
{
    const bool text = isUtf8(bytes);
    std::string out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size();) {
        const auto first = static_cast<unsigned char>(bytes[i]);
        const std::size_t length = text ? sequenceLength(first) : 1;
        const std::string_view one = bytes.substr(i, length);
        i += length;
        char32_t character = length == 1 ? first : first & (0x7fu >> length);
        for (const char more : one.substr(1))
            character = character << 6 | (static_cast<unsigned char>(more) & 0x3fu);
        if (isDevious(character) || (!text && first >= 0x80))
            appendEscaped(out, one);
        else
            out += one;
    }
    return out;
}

std::string printableStart(std::string_view bytes, std::size_t most)
{
    if (bytes.size() <= most)
        return printable(bytes);
    std::size_t cut = most;
    // Not within a character.
    while (cut > most - 4 && (static_cast<unsigned char>(bytes[cut]) & 0xc0u) == 0x80)
        --cut;
    return printable(bytes.substr(0, cut)) + "… (" + std::to_string(bytes.size()) + " bytes)";
}

} // namespace lockboard
