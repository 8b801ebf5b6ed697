// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/view/copied_row.h"
#include "engine/postgres/view/rows.h"

using namespace lockboard;

//! Rows of locks as PostgreSQL copies them, line by line, into the table that keeps them.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string_view text(reinterpret_cast<const char*>(data), size);
    postgres::CopiedRow::Buffers buffers;
    postgres::Rows rows;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        const std::optional<postgres::CopiedRow> row =
            postgres::CopiedRow::read(text.substr(0, end), buffers);
        text.remove_prefix(end);
        if (!row)
            continue;
        const std::uint32_t hash = medusaHash(row->key);
        const postgres::Rows::Id known = rows.find(row->key, hash);
        if (known != postgres::Rows::none) {
            rows.remove(known);
            continue;
        }
        const postgres::Rows::Id id = rows.insert(row->key, hash);
        rows[id].expiration = row->expiration;
        if (rows.find(row->key, hash) != id)
            __builtin_trap();
    }
    return 0;
}
