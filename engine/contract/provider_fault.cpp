// SPDX-License-Identifier: MIT
#include "engine/contract/provider_fault.h"

namespace lockboard {

static std::exception_ptr fault(const std::string& provider, const char* verb, CallKind kind,
                                const std::string& why)
{
    std::string sentence =
        "The provider \"" + printable(provider) + "\" failed in " + verb + ": " + why;
    if (!sentence.ends_with('.'))
        sentence += '.';
    return kind == CallKind::Changing ? std::make_exception_ptr(OutcomeUnknown(std::move(sentence)))
                                      : std::make_exception_ptr(Unavailable(std::move(sentence)));
}

std::exception_ptr faultOf(const std::string& provider, const char* verb, CallKind kind,
                           const std::exception_ptr& error)
{
    try {
        std::rethrow_exception(error);
    } catch (const LockError&) {
        return error;
    } catch (...) {
        return fault(provider, verb, kind, messageOf(error));
    }
}

std::exception_ptr nothingFrom(const std::string& provider, const char* verb, CallKind kind)
{
    return fault(provider, verb, kind, "it gave nothing");
}

} // namespace lockboard
