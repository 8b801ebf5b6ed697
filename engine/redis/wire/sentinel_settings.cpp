// SPDX-License-Identifier: MIT
#include "engine/redis/wire/sentinel_settings.h"

#include "engine/config/server_url.h"
#include "engine/config/value.h"
#include "engine/redis/wire/tls.h"

namespace lockboard::redis {

SentinelSettings SentinelSettings::read(const ConfigValue& redisOptions)
{
    SentinelSettings settings;
    const ConfigValue list = redisOptions.member("sentinels");
    const ConfigValue name = redisOptions.member("name");
    settings.username = redisOptions.stringOr("sentinelUsername", {});
    settings.password = redisOptions.stringOr("sentinelPassword", {});
    const ConfigValue tls = redisOptions.member("sentinelTLS");
    if (list.isNull()) {
        for (const char* alone : {"name", "sentinelUsername", "sentinelPassword", "sentinelTLS",
                                  "enableTLSForSentinelMode"}) {
            const ConfigValue value = redisOptions.member(alone);
            if (!value.isNull())
                value.fail("is for Sentinel, and there are no \"sentinels\"");
        }
        return settings;
    }
    for (const ConfigValue& item : list.items()) {
        Address address;
        item.requireObject();
        address.host = item.stringOr("host", address.host);
        if (address.host.empty())
            item.member("host").fail("is empty");
        requireHost(item.member("host"), address.host);
        const ConfigValue port = item.member("port");
        if (!port.isNull())
            address.port = static_cast<int>(port.toInteger(1, 65535));
        item.rejectUnknown();
        settings.sentinels.push_back(std::move(address));
    }
    if (settings.sentinels.empty())
        list.fail("must list at least one sentinel");
    if (name.isNull())
        list.fail("needs \"name\" beside it: which of their masters is meant");
    settings.master = name.toString();
    if (settings.master.empty())
        name.fail("is empty");
    requireName(name, settings.master);
    if (!settings.username.empty() && settings.password.empty())
        redisOptions.member("sentinelUsername").fail("names a user but no password");
    if (tls.isObject() || (!tls.isNull() && tls.toBool()))
        settings.tls = Tls::read(tls);
    return settings;
}

} // namespace lockboard::redis
