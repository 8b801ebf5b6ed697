// SPDX-License-Identifier: MIT
#include "engine/postgres/copied_row.h"
#include "engine/postgres/medusa_hash.h"
#include "engine/postgres/postgres_rows.h"

using namespace lockboard;

//! Rows of locks as PostgreSQL copies them, line by line, into the table that keeps them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    CopiedRow::Buffers buffers;
    PostgresRows rows;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::optional<CopiedRow> row = CopiedRow::read(text.substr(0, end), buffers);
        text.remove_prefix(end);
        if (!row)
            continue;
        const std::uint32_t hash = medusaHash(row->key);
        const PostgresRows::Id known = rows.find(row->key, hash);
        if (known != PostgresRows::none) {
            rows.remove(known);
            continue;
        }
        const PostgresRows::Id id = rows.insert(row->key, hash);
        rows[id].expiration = row->expiration;
        if (rows.find(row->key, hash) != id)
            __builtin_trap();
    }
    return 0;
}
