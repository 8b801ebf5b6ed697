// SPDX-License-Identifier: MIT
#include "engine/config.h"
#include "engine/postgres/postgres_settings.h"
#include "engine/redis/redis_settings.h"

#include <cstdlib>

using namespace lockboard;

//! A configuration as somebody wrote it: it is good, or there is one sentence, fit for a terminal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const Config config = Config::parse({reinterpret_cast<const char*>(data), size},
                                            "config.json", "/nonexistent");
        for (const Config::Entry& entry : config.entries()) {
            const ProviderSetup setup(entry.options, entry.provider.medusa);
            if (entry.provider.kind.identifier == "redis")
                (void)RedisSettings::read(setup);
            if (entry.provider.kind.identifier == "postgres")
                (void)PostgresSettings::read(setup);
            (void)setup.longestHold();
            entry.options.rejectUnknown();
        }
    } catch (const ConfigError& error) {
        if (printable(error.message()) != error.message())
            std::abort();
    }
    return 0;
}
