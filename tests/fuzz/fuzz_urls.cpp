// SPDX-License-Identifier: MIT
#include "engine/config/document.h"
#include "engine/contract/credentials.h"
#include "engine/module/built_in_kinds.h"
#include "engine/postgres/wire/settings.h"
#include "engine/redis/wire/settings.h"

#include <json/json.h>

#include <cstdlib>

using namespace lockboard;

static void require(bool good)
{
    if (!good)
        std::abort();
}

//! A server by its URL: what is shown of it holds no user part, nor anything that a terminal obeys.
static void read(const std::string& url, const char* option)
{
    Json::Value options;
    options[option] = url;
    const std::string text = Json::writeString(Json::StreamWriterBuilder(), options);
    try {
        const ProviderSetup setup(ConfigValue::parse(text, "config.json"), false);
        const bool isRedis = std::string_view(option) == "redisUrl";
        const std::string name = isRedis ? redis::Settings::read(setup).endpoint.name()
                                         : postgres::Settings::read(setup).endpoint.name();
        require(printable(name) == name);
        const bool hasScheme = url.find("://") != std::string::npos;
        require(!hasScheme || name.substr(0, name.find('/')).find('@') == std::string::npos);
    } catch (const ConfigError& error) {
        require(printable(error.message()) == error.message());
    }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string url(reinterpret_cast<const char*>(data), size);
    read(url, "redisUrl");
    read(url, "databaseUrl");
    try {
        (void)Config::connectTo(url, builtInKinds());
    } catch (const ConfigError& error) {
        require(printable(error.message()) == error.message());
    }
    require(printable(shownWord(url)) == shownWord(url));
    require(withoutCredentials(url).size() == url.size());
    std::string argument = url.substr(0, url.find('\0'));
    char program[] = "lockboard";
    char* arguments[] = {program, argument.data()};
    hideCredentials(2, arguments);
    return 0;
}
