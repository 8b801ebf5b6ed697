// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

using PGresult = struct pg_result;

namespace lockboard {

//! What one statement gave: rows, or an error.
class PostgresResult final {
public:
    PostgresResult() = default;
    explicit PostgresResult(PGresult* result);

    [[nodiscard]] bool isError() const;
    //! Five letters and digits; empty: no error, or none that came from the server.
    [[nodiscard]] std::string_view sqlState() const;
    //! An error after which nothing was done, and trying again may well do it.
    [[nodiscard]] bool isPassing() const;
    //! The server's own sentence.
    [[nodiscard]] std::string message() const;

    [[nodiscard]] int rows() const;
    [[nodiscard]] bool isNull(int row, int column) const;
    //! Empty for NULL.
    [[nodiscard]] std::string_view text(int row, int column) const;
    [[nodiscard]] std::optional<std::string> optional(int row, int column) const;
    [[nodiscard]] std::int64_t integer(int row, int column) const;
    [[nodiscard]] bool isTrue(int row, int column) const { return text(row, column) == "t"; }

private:
    struct Clear {
        void operator()(PGresult* result) const;
    };
    std::unique_ptr<PGresult, Clear> m_result;
};

//! What an error of the server's means: Denied, InvalidArgument or Unavailable. It says that
//! nothing was done. `server` is PostgresEndpoint::name(), `table` as one writes it in SQL.
[[nodiscard]] std::exception_ptr postgresError(const std::string& server, const std::string& table,
                                               std::string_view sqlState,
                                               const std::string& message);

//! The statement that makes Medusa's table.
[[nodiscard]] std::string createTableStatement(const std::string& table);

} // namespace lockboard
