// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/errors.h"

#include <memory>
#include <set>

namespace Json {
class Value;
}

namespace lockboard {

//! A JSON value that knows where it stands, so that a mistake in it can be named by path and line.
//! Reading a member marks it as known; rejectUnknown then names the first that nobody asked for.
//! Every reader throws ConfigError if the value has another type than asked for.
class ConfigValue final {
public:
    //! `source` names the text in errors, a file's path say; files that it names are sought
    //! relative to `folder`. \throws ConfigError
    [[nodiscard]] static ConfigValue parse(const std::string& text, const std::string& source,
                                           const std::string& folder = ".");
    //! The same value; the strings in it may contain references (reference.h), which are
    //! followed when they are read.
    [[nodiscard]] ConfigValue withReferences() const;

    [[nodiscard]] const std::string& path() const { return m_path; }
    [[nodiscard]] int line() const;
    [[nodiscard]] bool isNull() const;
    [[nodiscard]] bool isObject() const;
    [[nodiscard]] bool isString() const;
    [[nodiscard]] bool isArray() const;

    //! A null value where there is no such member.
    [[nodiscard]] ConfigValue member(const std::string& name) const;
    [[nodiscard]] std::vector<ConfigValue> items() const;
    [[nodiscard]] std::string toString() const;
    //! As toString, but what references stand for in the midst of the text is percent-encoded.
    [[nodiscard]] std::string toUrl() const;
    //! The string as it is written, if it is one reference and nothing else; else empty. Fit to be
    //! shown.
    [[nodiscard]] std::string reference() const;
    //! The string as it is written, references not followed, as a sentence may repeat it.
    [[nodiscard]] std::string shown() const;
    //! What is in the file that this string names.
    [[nodiscard]] std::string fileContent() const;
    [[nodiscard]] bool toBool() const;
    [[nodiscard]] double toNumber() const;
    [[nodiscard]] std::int64_t toInteger(std::int64_t least, std::int64_t most) const;

    [[nodiscard]] std::string stringOr(const std::string& name, std::string fallback) const;
    [[nodiscard]] bool boolOr(const std::string& name, bool fallback) const;
    //! One of the words; the error lists them.
    [[nodiscard]] std::string wordOr(const std::string& name, const std::string& fallback,
                                     const std::vector<std::string>& words) const;

    void rejectUnknown() const;
    void requireObject() const;
    //! Throws ConfigError about this value.
    [[noreturn]] void fail(const std::string& problem) const;

private:
    struct Document;
    static void parseInto(Document& document);
    [[nodiscard]] ConfigValue derived(const Json::Value* value, const std::string& step) const;
    [[nodiscard]] std::string expanded(bool isUrl) const;
    ConfigValue(std::shared_ptr<const Document> document, const Json::Value* value,
                std::string path);

    std::shared_ptr<const Document> m_document;
    const Json::Value* m_value;
    std::string m_path;
    std::shared_ptr<std::set<std::string>> m_asked;
    bool m_references = false;
};

} // namespace lockboard
