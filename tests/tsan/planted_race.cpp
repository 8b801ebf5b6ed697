// SPDX-License-Identifier: MIT
// A call from one thread to a module on another, as programs make it. With --plant both threads
// count in a plain int while the call is under way: ThreadSanitizer must find that race, and none
// without.
#include "tests/support/await.h"
#include "tests/support/engine_room.h"

#include <QCoreApplication>

#include <atomic>
#include <cstdio>
#include <cstring>

using namespace lockboard;

static int planted = 0;

int main(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
    const bool plant = argc > 1 && std::strcmp(argv[1], "--plant") == 0;
    std::atomic<int> sound = 0;
    const auto count = [plant, &sound] {
        if (plant)
            ++planted;
        else
            ++sound;
    };
    const test::EngineRoom locks;
    for (int i = 0; i < 100; ++i) {
        const auto progress = [&count](std::uint64_t, std::uint64_t) { count(); };
        Task<ReleaseAllResult> call =
            locks->releaseAll(ReleaseAllOptions().reportingTo(progress)); // there
        count(); // here
        test::await(std::move(call));
    }
    std::printf("%d counted\n", plant ? planted : sound.load());
    return 0;
}
