// SPDX-License-Identifier: MIT
#pragma once

#include "engine/lock.h"

#include <QJsonObject>

namespace lockboard::ctl {

//! `bytes` under `name`; if they aren't UTF-8, escaped, with the bytes themselves as `nameBase64`.
void insertBytes(QJsonObject& object, const QString& name, const std::string& bytes);
//! `{"provider","key","owner","ttlMs","state"}`, owner and ttlMs null where there is none; "token",
//! "note" and "session" where they are known.
[[nodiscard]] QJsonObject lockObject(const std::string& provider, const Lock& lock, TimePoint now);

//! Lines in columns, the last one free. Widths grow with what is measured before the first row.
class Table final {
public:
    using Row = std::vector<QString>;

    void measure(const Row& row);
    void write(const Row& row) const;

private:
    std::vector<qsizetype> m_widths;
};

[[nodiscard]] Table::Row lockRow(const Lock& lock, TimePoint now);

} // namespace lockboard::ctl
