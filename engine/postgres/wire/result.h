// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

using PGresult = struct pg_result;

namespace lockboard::postgres {

//! What one statement gave: rows, or an error.
class Result final {
public:
    Result() = default;
    explicit Result(PGresult* result);

    [[nodiscard]] bool isError() const;
    //! Five letters and digits; empty: no error, or none that came from the server.
    [[nodiscard]] std::string_view sqlState() const;
    //! An error after which nothing was done, and trying again may well do it.
    [[nodiscard]] bool isPassing() const;
    //! An error in a function that a statement of ours has called, of a trigger say.
    [[nodiscard]] bool isInFunction() const;
    //! The server's own sentence.
    [[nodiscard]] std::string message() const;

    [[nodiscard]] int rows() const;
    [[nodiscard]] bool isNull(int row, int column) const;
    //! Empty for NULL.
    [[nodiscard]] std::string_view text(int row, int column) const;
    [[nodiscard]] std::optional<std::string> optional(int row, int column) const;
    [[nodiscard]] std::int64_t integer(int row, int column) const;
    [[nodiscard]] bool isTrue(int row, int column) const { return text(row, column) == "t"; }
    //! Whether it is rows, and each of its columns is what its letter says; a capital: or NULL.
    //!     i  a whole number         u  one that is not negative    m  milliseconds of a lease
    //!     b  true or false          t  text                        s  seconds since 1970
    //!     e  the same, which may be infinite                       *  anything
    [[nodiscard]] bool hasColumns(std::string_view letters) const;

private:
    struct Clear {
        void operator()(PGresult* result) const;
    };
    std::unique_ptr<PGresult, Clear> m_result;
};

//! What an error of the server's means: Denied, InvalidArgument or Unavailable. It says that
//! nothing was done. `server` is Endpoint::name(), `writtenTable` as one writes it in SQL.
[[nodiscard]] std::exception_ptr lockErrorOf(const std::string& server,
                                             const std::string& writtenTable,
                                             std::string_view sqlState, const std::string& message);

//! The statement that makes Medusa's table.
[[nodiscard]] std::string createTableStatement(const std::string& table);

} // namespace lockboard::postgres
