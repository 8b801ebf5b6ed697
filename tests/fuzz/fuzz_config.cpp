// SPDX-License-Identifier: MIT
#include "engine/config/document.h"
#include "engine/module/built_in_kinds.h"
#include "engine/postgres/wire/settings.h"
#include "engine/redis/wire/settings.h"

#include <cstdlib>

using namespace lockboard;

//! A configuration as somebody wrote it: it is good, or there is one sentence, fit for a terminal.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        const Config config = Config::parse({reinterpret_cast<const char*>(data), size},
                                            "config.json", "/nonexistent", builtInKinds());
        for (const Config::Entry& entry : config.entries()) {
            const ProviderSetup setup(entry.options, entry.provider.medusa);
            if (entry.provider.kind.identifier == "redis")
                (void)redis::Settings::read(setup);
            if (entry.provider.kind.identifier == "postgres")
                (void)postgres::Settings::read(setup);
            (void)setup.longestHold();
            entry.options.rejectUnknown();
        }
    } catch (const ConfigError& error) {
        if (printable(error.message()) != error.message())
            std::abort();
    }
    return 0;
}
