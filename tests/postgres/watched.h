// SPDX-License-Identifier: MIT
#pragma once

#include "tests/postgres/postgres_fixture.h"
#include "tests/support/watcher.h"
