// SPDX-License-Identifier: MIT
#pragma once

#include <string>

namespace lockboard::postgres {

// A trigger that tells Lockboards of every change of the table, whoever made it: four, one for
// each kind of statement, and a function of its own, `lockboard_notify_TABLE`, in the table's
// schema. `table` is as one writes it in SQL, quoted and with its schema; `schema` too. Both fail
// if there is no table.

//! One statement, which replaces what there is of it.
[[nodiscard]] std::string installTriggerStatement(const std::string& schema,
                                                  const std::string& table,
                                                  const std::string& channel);
[[nodiscard]] std::string removeTriggerStatement(const std::string& schema,
                                                 const std::string& table,
                                                 const std::string& channel);

} // namespace lockboard::postgres
