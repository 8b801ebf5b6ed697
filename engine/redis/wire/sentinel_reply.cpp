// SPDX-License-Identifier: MIT
#include "engine/redis/wire/sentinel_reply.h"

#include "engine/redis/wire/shape.h"

#include <charconv>
#include <vector>

namespace lockboard::redis {

static MasterAddress readAddress(std::string_view host, std::string_view port)
{
    MasterAddress master;
    int number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    const bool isPort =
        error == std::errc() && end == port.data() + port.size() && number > 0 && number <= 65535;
    if (!isPort || !shape::isHost(host))
        return master;
    master.host = host;
    master.port = number;
    return master;
}

MasterAddress readMaster(const Reply& reply)
{
    if (!reply.isArray() || reply.size() != 2 || !reply.at(0).isString() || !reply.at(1).isString())
        return {};
    return readAddress(reply.at(0).text(), reply.at(1).text());
}

MasterAddress readSwitch(std::string_view text, std::string_view master)
{
    // A master's name has no space, and so there are five words.
    std::vector<std::string_view> words;
    while (words.size() < 6) {
        const auto space = text.find(' ');
        words.push_back(text.substr(0, space));
        if (space == std::string_view::npos)
            break;
        text.remove_prefix(space + 1);
    }
    if (words.size() != 5 || words[0] != master)
        return {};
    return readAddress(words[3], words[4]);
}

} // namespace lockboard::redis
