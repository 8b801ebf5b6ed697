// SPDX-License-Identifier: MIT
#include "engine/config/reference.h"
#include "engine/contract/lock.h"

#include <cstdlib>
#include <stdexcept>

using namespace lockboard;

//! `${env:...}` and `${file:...}` in a text: what holds none stays as it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    for (const bool isUrl : {false, true}) {
        try {
            const std::string read = expandReferences(text, "/nonexistent", isUrl);
            if (text.find("${") == std::string::npos && read != text)
                std::abort();
        } catch (const std::runtime_error& error) {
            if (printable(error.what()) != error.what())
                std::abort();
        }
    }
    (void)isReference(text);
    return 0;
}
