// SPDX-License-Identifier: MIT
#include "engine/config/document.h"

#include "engine/config/bounded_file.h"
#include "engine/config/plugin.h"
#include "engine/config/server_url.h"
#include "engine/contract/credentials.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace lockboard {

using namespace Qt::StringLiterals;

static ProviderRegistry::Found resolve(const ConfigValue& value, const std::string& folder,
                                       const ProviderRegistry& registry);

Config Config::parse(const std::string& text, const std::string& source, const std::string& folder,
                     const ProviderRegistry& registry)
{
    const ConfigValue root = ConfigValue::parse(text, source, folder);
    root.requireObject();
    const ConfigValue providers = root.member("providers");
    Config config;
    if (providers.isNull()) {
        root.rejectUnknown();
        return config;
    }
    const Entry* defaultEntry = nullptr;
    config.m_entries.reserve(providers.items().size());
    for (const ConfigValue& item : providers.items()) {
        item.requireObject();
        const ConfigValue id = item.member("id");
        if (id.isNull())
            item.fail("has no \"id\"");
        const ConfigValue name = item.member("resolve");
        if (name.isNull())
            item.fail("has no \"resolve\"");
        const bool isDefault = item.boolOr("is_default", false);
        ConfigValue options = item.member("options");
        if (options.isNull())
            options = ConfigValue::parse("{}", source);
        options.requireObject();
        options = options.withReferences();
        item.rejectUnknown();

        Entry entry{id.toString(), isDefault, resolve(name, folder, registry), options, item};
        if (entry.id.empty())
            id.fail("is empty");
        requireName(id, entry.id);
        if (entry.id.starts_with("lp_"))
            id.fail("must not begin with \"lp_\", which marks the stored form of an id");
        for (const Entry& other : config.m_entries) {
            if (other.id == entry.id)
                id.fail('"' + printable(entry.id) + "\" is the id of " + other.place.path()
                        + " already");
        }
        if (entry.id == "in-memory" && entry.provider.kind.identifier != "in-memory")
            id.fail("\"in-memory\" is the id of the provider that is always there");
        if (isDefault && defaultEntry)
            item.member("is_default").fail(defaultEntry->place.path() + " is the default already");
        config.m_entries.push_back(std::move(entry));
        if (isDefault)
            defaultEntry = &config.m_entries.back();
    }
    root.rejectUnknown();
    return config;
}

Config Config::load(const std::string& file, const ProviderRegistry& registry)
{
    std::string text;
    try {
        text = readBoundedFile(file);
    } catch (const std::runtime_error& error) {
        throw ConfigError(file, "", 0, error.what());
    }
    const QFileInfo path(QString::fromStdString(file));
    return parse(text, file, path.absolutePath().toStdString(), registry);
}

Config Config::connectTo(const std::string& url, const ProviderRegistry& registry)
{
    const auto kind = registry.findByUrl(url);
    if (!kind) {
        std::string known;
        for (const auto& each : registry.kinds()) {
            for (const std::string& scheme : each.urlSchemes)
                known += (known.empty() ? "" : ", ") + (scheme == "/" ? "a path" : scheme + "://");
        }
        // The URL itself may hold a password, and is not repeated.
        throw ConfigError("--connect", "", 0,
                          known.empty()
                              ? "no provider that this program was built with is reached by a URL"
                              : "no provider speaks this URL; it must begin with one of: " + known);
    }
    if (!isUtf8(url))
        throw ConfigError("--connect", "", 0, "this URL is not UTF-8");
    const QString id = QString::fromStdString(kind->identifier);
    const QJsonObject options{
        {QString::fromStdString(kind->urlOption), QString::fromStdString(url)}};
    const QJsonObject entry{
        {u"resolve"_s, id}, {u"id"_s, id}, {u"is_default"_s, true}, {u"options"_s, options}};
    const QJsonObject root{{u"providers"_s, QJsonArray{entry}}};
    return parse(QJsonDocument(root).toJson(QJsonDocument::Compact).toStdString(), "--connect", ".",
                 registry);
}

static ProviderRegistry::Found resolve(const ConfigValue& value, const std::string& folder,
                                       const ProviderRegistry& registry)
{
    const std::string name = value.toString();
    if (auto found = registry.find(name))
        return *found;
    const bool looksLikePath = name.ends_with(".so") || name.starts_with("./")
        || name.starts_with("../") || name.starts_with('/');
    if (looksLikePath) {
        const QDir base(QString::fromStdString(folder));
        try {
            return {loadPlugin(base.absoluteFilePath(QString::fromStdString(name)).toStdString()),
                    false};
        } catch (const std::runtime_error& error) {
            value.fail(error.what());
        }
    }
    std::string known;
    for (const auto& kind : registry.kinds())
        known += (known.empty() ? "\"" : ", \"") + kind.identifier + '"';
    value.fail('"' + shownWord(name) + "\" is not a known provider; known are " + known
               + ", and paths of plugins");
}

} // namespace lockboard
