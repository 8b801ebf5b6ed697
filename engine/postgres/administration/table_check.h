// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/provider.h"
#include "engine/postgres/wire/result.h"

namespace lockboard::postgres {

//! What is asked about a table to tell whether locks can be kept in it. $1: its name as written in
//! SQL. A row for each column, then one for the table itself.
[[nodiscard]] std::string tableQuestion();

//! What makes the table unfit for locks, and what else is worth knowing about it. `table` is its
//! name as a person reads it. Nothing: it is as Medusa's package makes it.
[[nodiscard]] std::vector<Finding> tableFindings(const Result& answer, const std::string& table);

} // namespace lockboard::postgres
