// SPDX-License-Identifier: MIT
#include "engine/config_value.h"

#include "engine/config_reference.h"

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
};

ConfigValue::ConfigValue(std::shared_ptr<const Document> document, const Json::Value* value,
                         std::string path)
    : m_document(std::move(document))
    , m_value(value)
    , m_path(std::move(path))
    , m_asked(std::make_shared<std::set<std::string>>())
{
}

ConfigValue ConfigValue::parse(const std::string& text, const std::string& source,
                               const std::string& folder)
{
    auto document = std::make_shared<Document>();
    document->text = text;
    document->source = source;
    document->folder = folder;
    Json::CharReaderBuilder builder;
    Json::CharReaderBuilder::strictMode(&builder.settings_);
    builder["strictRoot"] = false; // "must be an object" is said with path and line below
    std::string errors;
    const std::unique_ptr<Json::CharReader> reader(builder.newCharReader());
    bool good = false;
    try {
        good = reader->parse(text.data(), text.data() + text.size(), &document->root, &errors);
    } catch (const std::exception& error) { // nested too deeply
        errors = error.what();
    }
    if (!good) {
        // "* Line 3, Column 5\n  Missing ',' or '}' in object declaration\n..."
        int line = 0;
        int column = 0;
        std::sscanf(errors.c_str(), "* Line %d, Column %d", &line, &column);
        const auto from = errors.find('\n');
        const auto to = errors.find('\n', from + 1);
        std::string what = line == 0 || from == std::string::npos
            ? errors
            : errors.substr(from + 1, to == std::string::npos ? to : to - from - 1);
        what.erase(0, what.find_first_not_of(' '));
        if (what.starts_with('\'')) // it repeats what it read, which may be a password
            what = "a number is malformed";
        throw ConfigError(source, "", line, "this is not valid JSON: " + what);
    }
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
    ConfigValue derived(m_document, value, m_path + '/' + step);
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
    const std::string text = m_value->asString();
    if (!m_references)
        return text;
    try {
        return expandReferences(text, m_document->folder, isUrl);
    } catch (const std::runtime_error& error) {
        fail(error.what());
    }
}

std::string ConfigValue::reference() const
{
    const std::string text = m_references && m_value->isString() ? m_value->asString() : "";
    return isReference(text) ? text : std::string();
}

std::string ConfigValue::fileContent() const
{
    const std::string name = toString();
    try {
        return readNamedFile(name, m_document->folder, "names");
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
    return m_value->asDouble();
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
