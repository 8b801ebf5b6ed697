// SPDX-License-Identifier: MIT
#include "engine/redis/wire/decoder.h"

#include <cstdlib>
#include <vector>

using namespace lockboard;

//! The replies that these bytes make when they come in pieces of this size, as words.
static std::vector<std::string> decode(std::string_view bytes, std::size_t pieceSize)
{
    std::vector<std::string> replies;
    redis::Decoder decoder;
    const redis::Decoder::Limits limits(1000, 20'000);
    while (!bytes.empty()) {
        const std::string piece(bytes.substr(0, pieceSize)); // on the heap, for AddressSanitizer
        bytes.remove_prefix(piece.size());
        decoder.feed(piece);
        for (;;) {
            redis::Reply reply;
            const redis::Decoder::Step step = decoder.next(reply, limits);
            if (step == redis::Decoder::Step::NeedsMore)
                break;
            if (step == redis::Decoder::Step::Refused) {
                replies.push_back("refused " + decoder.problem());
                return replies;
            }
            if (decoder.lastBytes() > 20'000 + redis::Decoder::mostLine + reply.size())
                std::abort(); // more than was to be kept
            replies.push_back(reply.description() + std::to_string(reply.text().size()));
        }
    }
    return replies;
}

//! What a server sends, and that it doesn't matter in which pieces it comes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::vector<std::string> atOnce = decode(bytes, size);
    if (decode(bytes, 7) != atOnce || (size < 4096 && decode(bytes, 1) != atOnce))
        std::abort();
    return 0;
}
