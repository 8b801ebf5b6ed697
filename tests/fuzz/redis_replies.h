// SPDX-License-Identifier: MIT
#pragma once

#include "engine/redis/redis_decoder.h"

#include <cstdint>

namespace lockboard::test {

//! Gives `take` every reply that these bytes are to our decoder.
template <typename Take>
void forEachReply(const std::uint8_t* data, std::size_t size, const Take& take)
{
    RedisDecoder decoder;
    decoder.feed({reinterpret_cast<const char*>(data), size});
    RedisReply reply;
    while (decoder.next(reply, RedisDecoder::Limits()) == RedisDecoder::Step::Reply)
        take(reply);
}

} // namespace lockboard::test
