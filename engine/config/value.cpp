// SPDX-License-Identifier: MIT
#include "engine/config/value.h"

#include "engine/config/reference.h"
#include "engine/contract/credentials.h"

#include <json/json.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace lockboard {

struct ConfigValue::Document {
    std::string text;
    std::string source;
    std::string folder;
    Json::Value root;

    [[nodiscard]] int lineAt(std::ptrdiff_t offset) const
    {
        const auto end = text.begin() + std::clamp<std::ptrdiff_t>(offset, 0, std::ssize(text));
        return 1 + static_cast<int>(std::count(text.begin(), end, '\n'));
    }
    [[nodiscard]] int lineOfBadUtf8() const
    {
        std::string_view rest = text;
        int line = 1;
        for (; isUtf8(rest.substr(0, rest.find('\n'))); ++line) {
            if (rest.find('\n') == std::string_view::npos)
                break;
            rest.remove_prefix(rest.find('\n') + 1);
        }
        return line;
    }
};

ConfigValue::ConfigValue(std::shared_ptr<const Document> document, const Json::Value* value,
                         std::string path)
    : m_document(std::move(document))
    , m_value(value)
    , m_path(std::move(path))
    , m_asked(std::make_shared<std::set<std::string>>())
{
}

//! jsoncpp's words, of which some repeat what was read: that may be a password.
static std::string problemIn(const std::string& said)
{
    static constexpr const char* known[] = {
        "Syntax error: value, object or array expected.",
        "Missing '}' or object member name",
        "Missing ':' after object member name",
        "Missing ',' or '}' in object declaration",
        "Missing ',' or ']' in array declaration",
        "Empty escape sequence in string",
        "Bad escape sequence in string",
        "Bad unicode escape sequence in string",
        "Extra non-whitespace after JSON value.",
    };
    for (const char* phrase : known) {
        if (said.starts_with(phrase))
            return phrase;
    }
    if (said.starts_with("Duplicate key"))
        return "one object has the same name twice";
    return said.ends_with("is not a number.") ? "a number is malformed" : "a value is malformed";
}

void ConfigValue::parseInto(Document& document)
{
    const auto fail = [&document](int line, const std::string& problem) {
        throw ConfigError(document.source, "", line, problem);
    };
    std::string& text = document.text;
    constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
    if (text.starts_with(byteOrderMark))
        text.erase(0, byteOrderMark.size());
    const std::size_t null = text.find('\0');
    if (null != std::string::npos)
        fail(document.lineAt(static_cast<std::ptrdiff_t>(null)),
             "this is not text: it holds a NUL character");
    if (!isUtf8(text))
        fail(document.lineOfBadUtf8(), "this is not UTF-8");
    Json::CharReaderBuilder builder;
    Json::CharReaderBuilder::strictMode(&builder.settings_);
    builder["strictRoot"] = false; // "must be an object" is said with path and line below
    std::string errors;
    const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
    try {
        if (reader->parse(text.data(), text.data() + text.size(), &document.root, &errors))
            return;
    } catch (const std::exception&) {
        fail(0, "this is not valid JSON: it is nested too deeply");
    }
    // "* Line 3, Column 5\n  Missing ',' or '}' in object declaration\n..."
    int line = 0;
    int column = 0;
    std::sscanf(errors.c_str(), "* Line %d, Column %d", &line, &column);
    std::string what = errors.substr(std::min(errors.find('\n'), errors.size()));
    what.erase(0, what.find_first_not_of("\n "));
    what.resize(std::min(what.find('\n'), what.size()));
    fail(line, "this is not valid JSON: " + problemIn(what));
}

ConfigValue ConfigValue::parse(const std::string& text, const std::string& source,
                               const std::string& folder)
{
    auto document = std::make_shared<Document>();
    document->text = text;
    document->source = source;
    document->folder = folder;
    parseInto(*document);
    const Json::Value* root = &document->root;
    return ConfigValue(std::move(document), root, "");
}

int ConfigValue::line() const
{
    return m_document->lineAt(m_value->getOffsetStart());
}

bool ConfigValue::isNull() const
{
    return m_value->isNull();
}

bool ConfigValue::isObject() const
{
    return m_value->isObject();
}

bool ConfigValue::isString() const
{
    return m_value->isString();
}

bool ConfigValue::isArray() const
{
    return m_value->isArray();
}

ConfigValue ConfigValue::member(const std::string& name) const
{
    requireObject();
    m_asked->insert(name);
    const Json::Value* found = m_value->find(name.data(), name.data() + name.size());
    return derived(found ? found : &Json::Value::nullSingleton(), name);
}

std::vector<ConfigValue> ConfigValue::items() const
{
    if (!m_value->isArray())
        fail("must be a list");
    std::vector<ConfigValue> list;
    for (Json::ArrayIndex i = 0; i < m_value->size(); ++i)
        list.push_back(derived(&(*m_value)[i], std::to_string(i)));
    return list;
}

ConfigValue ConfigValue::derived(const Json::Value* value, const std::string& step) const
{
    ConfigValue derived(m_document, value, m_path + '/' + shownWord(step));
    derived.m_references = m_references;
    return derived;
}

ConfigValue ConfigValue::withReferences() const
{
    ConfigValue same = *this;
    same.m_references = true;
    return same;
}

std::string ConfigValue::toString() const
{
    return expanded(false);
}

std::string ConfigValue::toUrl() const
{
    return expanded(true);
}

std::string ConfigValue::expanded(bool isUrl) const
{
    if (!m_value->isString())
        fail("must be a string");
    std::string text = m_value->asString();
    if (m_references) {
        try {
            text = expandReferences(text, m_document->folder, isUrl);
        } catch (const std::runtime_error& error) {
            fail(error.what());
        }
    }
    // Everything below reads a text up to its first NUL, and would do something else.
    if (text.find('\0') != std::string::npos)
        fail("holds a NUL character");
    return text;
}

std::string ConfigValue::reference() const
{
    const std::string text = m_references && m_value->isString() ? m_value->asString() : "";
    return isReference(text) ? text : std::string();
}

std::string ConfigValue::shown() const
{
    return m_value->isString() ? shownWord(m_value->asString()) : std::string();
}

std::string ConfigValue::fileContent() const
{
    const std::string name = toString();
    try {
        return readNamedFile(name, shown(), m_document->folder, "names");
    } catch (const std::runtime_error& error) {
        fail(error.what());
    }
}

bool ConfigValue::toBool() const
{
    if (!m_value->isBool())
        fail("must be true or false");
    return m_value->asBool();
}

double ConfigValue::toNumber() const
{
    if (!m_value->isNumeric() || m_value->isBool())
        fail("must be a number");
    const double number = m_value->asDouble();
    if (!std::isfinite(number))
        fail("is too large a number");
    return number;
}

std::int64_t ConfigValue::toInteger(std::int64_t least, std::int64_t most) const
{
    const double number = toNumber();
    if (std::floor(number) != number || number < static_cast<double>(least)
        || number > static_cast<double>(most)) {
        fail("must be a whole number from " + std::to_string(least) + " to "
             + std::to_string(most));
    }
    return m_value->asInt64();
}

std::string ConfigValue::stringOr(const std::string& name, std::string fallback) const
{
    const ConfigValue value = member(name);
    return value.isNull() ? std::move(fallback) : value.toString();
}

bool ConfigValue::boolOr(const std::string& name, bool fallback) const
{
    const ConfigValue value = member(name);
    return value.isNull() ? fallback : value.toBool();
}

std::string ConfigValue::wordOr(const std::string& name, const std::string& fallback,
                                const std::vector<std::string>& words) const
{
    const ConfigValue value = member(name);
    if (value.isNull())
        return fallback;
    std::string word = value.toString();
    if (std::find(words.begin(), words.end(), word) == words.end()) {
        std::string list;
        for (const std::string& known : words)
            list += (list.empty() ? "\"" : " or \"") + known + '"';
        value.fail("must be " + list);
    }
    return word;
}

void ConfigValue::rejectUnknown() const
{
    requireObject();
    for (const std::string& name : m_value->getMemberNames()) {
        if (m_asked->contains(name))
            continue;
        std::string known;
        for (const std::string& asked : *m_asked)
            known += (known.empty() ? "" : ", ") + asked;
        member(name).fail("is not a known option; known are " + known);
    }
}

void ConfigValue::requireObject() const
{
    if (!m_value->isObject())
        fail("must be an object");
}

void ConfigValue::fail(const std::string& problem) const
{
    const bool placed = m_value != &Json::Value::nullSingleton();
    throw ConfigError(m_document->source, m_path.empty() ? "/" : m_path, placed ? line() : 0,
                      problem);
}

} // namespace lockboard
