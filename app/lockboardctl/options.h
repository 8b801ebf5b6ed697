// SPDX-License-Identifier: MIT
#pragma once

#include "app/lockboardctl/arguments.h"

#include <span>

namespace lockboard::ctl {

//! One option of one or more verbs. A name may stand in several rows that differ in their help.
class Option final {
public:
    const char* name; //!< without the dashes
    const char* value; //!< what the help calls its value; null: it has none
    const char* verbs; //!< who takes it, separated by blanks; empty: every one
    const char* help;
    //! Stores a value (null: it has none). \throws UsageError
    void (*store)(Arguments& arguments, const char* value);
    bool repeats = false; //!< may be given again

    [[nodiscard]] bool belongsTo(std::string_view verb) const;
    [[nodiscard]] bool isGlobal() const { return *verbs == '\0'; }
};

[[nodiscard]] std::span<const Option> options();

} // namespace lockboard::ctl
