// SPDX-License-Identifier: MIT
#include "engine/redis/wire/decoder.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace lockboard::redis {

//! A line that holds a number, with its kind.
static constexpr std::size_t longestNumber = 24;
//! How long an error may be before nobody waits for its end.
static constexpr std::size_t longestLine = std::size_t(64) << 20;

//! A line that is its own text. Those of RESP3 come only if we have asked for it, which a younger
//! hiredis can read.
static bool isWord(char kind)
{
    return kind == '-' || kind == '+'
        || (Reply::canBePush() && std::string_view("_#,(").find(kind) != std::string_view::npos);
}

Decoder::Decoder()
    : m_reader(redisReaderCreate())
{
}

Decoder::~Decoder()
{
    redisReaderFree(m_reader);
}

void Decoder::refuse(std::string problem)
{
    m_refused = true;
    m_problem = std::move(problem);
}

void Decoder::pass(std::string_view bytes)
{
    redisReaderFeed(m_reader, bytes.data(), bytes.size());
}

Decoder::Step Decoder::next(Reply& reply, const Limits& limits)
{
    m_limits = limits;
    while (!m_refused && !m_complete && !m_piece.empty()) {
        if (m_inText)
            readText();
        else
            readLine();
    }
    if (!m_refused && !m_complete)
        return Step::NeedsMore;
    void* raw = nullptr;
    if (!m_refused && (redisReaderGetReply(m_reader, &raw) != REDIS_OK || !raw))
        refuse();
    if (m_refused)
        return Step::Refused;
    m_complete = false;
    m_elements = 0;
    m_lastBytes = std::exchange(m_bytes, 0);
    reply = Reply(static_cast<redisReply*>(raw));
    return Step::Reply;
}

void Decoder::readLine()
{
    const std::size_t found = m_piece.find('\n');
    const bool ends = found != std::string_view::npos;
    const std::string_view part = m_piece.substr(0, ends ? found + 1 : m_piece.size());
    m_piece.remove_prefix(part.size());
    const char before = part.size() > 1 ? part[part.size() - 2] : m_lastOfLine;
    const char kind = m_line.empty() ? part.front() : m_line.front();
    const std::size_t length = m_lineLength + part.size();
    // However the line is cut into pieces, it is refused or taken.
    if ((ends && before != '\r') || length > (isWord(kind) ? longestLine : longestNumber)) {
        refuse();
    } else if (ends && m_lineLength == 0) { // the most frequent case, which copies nothing
        takeLine(part.substr(0, part.size() - 2), true);
    } else {
        m_line.append(part.substr(0, mostLine - std::min(mostLine, m_line.size())));
        m_lineLength = length;
        m_lastOfLine = part.back();
        if (ends) {
            const std::string line = std::exchange(m_line, {});
            m_lineLength = 0;
            m_lastOfLine = 0;
            takeLine(std::string_view(line).substr(0, length - 2), false);
        }
    }
}

//! `endsInMemory`: its end lies right behind it.
void Decoder::passLine(std::string_view line, bool endsInMemory)
{
    if (endsInMemory) {
        pass(std::string_view(line.data(), line.size() + 2));
    } else {
        pass(line);
        pass("\r\n");
    }
}

void Decoder::takeLine(std::string_view line, bool endsInMemory)
{
    if (line.empty()) {
        refuse();
        return;
    }
    const char kind = line.front();
    const bool isResp3 = Reply::canBePush();
    if (isWord(kind)) {
        const std::string_view text =
            line.substr(0, m_bytes >= m_limits.bytes ? 1 : std::size_t(mostLine));
        m_bytes += text.size();
        passLine(text, endsInMemory && text.size() == line.size());
        endElement();
        return;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(line.data() + 1, line.data() + line.size(), number);
    const bool isText = kind == '$' || (isResp3 && kind == '=');
    const bool isMap = isResp3 && (kind == '%' || kind == '|');
    const bool isArray = kind == '*' || isMap || (isResp3 && (kind == '>' || kind == '~'));
    const bool isNil = (kind == '$' || kind == '*') && number == -1;
    const bool isKnown = kind == ':' || isNil || ((isText || isArray) && number >= 0);
    if (error != std::errc() || end != line.data() + line.size() || !isKnown) {
        refuse();
    } else if (isText && !isNil) {
        beginText(static_cast<std::uint64_t>(number), line, endsInMemory);
    } else if (isArray && number > 0) {
        if (beginArray(static_cast<std::uint64_t>(number), isMap))
            passLine(line, endsInMemory);
    } else {
        passLine(line, endsInMemory);
        endElement();
    }
}

bool Decoder::beginArray(std::uint64_t count, bool isOfPairs)
{
    // They count when they are announced, because hiredis allocates them then.
    if (count > mostElements / 2 || (isOfPairs ? 2 : 1) * count > mostElements - m_elements) {
        refuse("an array of " + std::to_string(count) + " elements, which is too many");
        return false;
    }
    if (m_depth == mostDepth) {
        refuse("arrays within arrays, deeper than " + std::to_string(mostDepth));
        return false;
    }
    m_due[m_depth] = (isOfPairs ? 2 : 1) * count;
    m_elements += m_due[m_depth++];
    return true;
}

void Decoder::beginText(std::uint64_t length, std::string_view line, bool endsInMemory)
{
    if (length > longestText) {
        refuse("a string of " + std::to_string(length) + " bytes, and no Redis has such");
        return;
    }
    m_inText = true;
    m_left = static_cast<std::size_t>(length) + 2;
    const std::size_t room = m_limits.bytes - std::min(m_limits.bytes, m_bytes);
    m_skips = length > m_limits.text || length > room;
    if (m_skips) {
        pass("-" + std::string(Reply::tooLong) + ' ' + std::to_string(length) + "\r\n");
        return;
    }
    m_bytes += static_cast<std::size_t>(length);
    passLine(line, endsInMemory);
}

void Decoder::readText()
{
    const std::string_view part = m_piece.substr(0, std::min(m_left, m_piece.size()));
    m_piece.remove_prefix(part.size());
    if (!m_skips)
        pass(part);
    m_left -= part.size();
    // What should be the end of the line, as far as this part has it.
    const std::size_t ending = m_left < 2 ? std::min(part.size(), 2 - m_left) : 0;
    const std::string_view expected = std::string_view("\r\n").substr(0, m_left == 1 ? 1 : 2);
    if (ending > 0 && !expected.ends_with(part.substr(part.size() - ending))) {
        refuse();
        return;
    }
    if (m_left == 0) {
        m_inText = false;
        endElement();
    }
}

void Decoder::endElement()
{
    while (m_depth > 0) {
        if (--m_due[m_depth - 1] > 0)
            return;
        --m_depth;
    }
    m_complete = true;
}

} // namespace lockboard::redis
