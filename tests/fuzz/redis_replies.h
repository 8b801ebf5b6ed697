// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/wire/decoder.h"

#include <cstdint>

namespace lockboard::test {

//! Gives `take` every reply that these bytes are to our decoder.
template <typename Take>
void forEachReply(const std::uint8_t* data, std::size_t size, const Take& take)
{
    redis::Decoder decoder;
    decoder.feed({reinterpret_cast<const char*>(data), size});
    redis::Reply reply;
    while (decoder.next(reply, redis::Decoder::Limits()) == redis::Decoder::Step::Reply)
        take(reply);
}

} // namespace lockboard::test
