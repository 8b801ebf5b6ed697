// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string_view>

namespace lockboard::redis {

class Reply;

//! What a reply must be like to be believed. What a server says is data: it may be no Redis, or one
//! whose answers have got out of step, and a lock counts as held only if the server has said just
//! that. Error replies are none of these.
namespace shape {

//! Of a script that was given so many locks.
using OfScript = bool (*)(const Reply& reply, std::size_t locks);

[[nodiscard]] bool isAcquire(const Reply& reply, std::size_t locks);
[[nodiscard]] bool isExtend(const Reply& reply, std::size_t locks);
[[nodiscard]] bool isRelease(const Reply& reply, std::size_t locks);
[[nodiscard]] bool isReleaseSeen(const Reply& reply, std::size_t locks);
[[nodiscard]] bool isReleasePage(const Reply& reply, std::size_t locks);
[[nodiscard]] bool isCount(const Reply& reply, std::size_t locks);
[[nodiscard]] bool isDone(const Reply& reply, std::size_t locks);

//! Of SET with NX: it was set, or it was not.
[[nodiscard]] bool isSet(const Reply& reply);
//! Of GET, PTTL and TYPE.
[[nodiscard]] bool isAnswerTo(std::string_view question, const Reply& reply);
//! A name, a number, the time to live, from 0 on or -1: for ever.
[[nodiscard]] bool isTime(const Reply& reply);
//! The name or address of another server, short and without anything that it can't have.
[[nodiscard]] bool isHost(std::string_view host);

} // namespace shape
} // namespace lockboard::redis
