// SPDX-License-Identifier: MIT
#include "engine/config/plugin.h"

#include "engine/contract/credentials.h"

#include <QJsonObject>
#include <QPluginLoader>

#include <filesystem>
#include <stdexcept>

namespace lockboard {

ProviderRegistry::Kind loadPlugin(const std::string& path)
{
    // Qt would open a FIFO, and wait for what is written to it.
    std::error_code problem;
    if (!std::filesystem::is_regular_file(path, problem))
        throw std::runtime_error("there is no plugin at \"" + shownWord(path) + '"');
    QPluginLoader loader(QString::fromStdString(path));
    const QJsonObject metadata = loader.metaData();
    const QString iid = metadata.value(u"IID").toString();
    if (iid.isEmpty())
        throw std::runtime_error("there is no plugin at \"" + shownWord(path) + '"');
    if (iid != QLatin1String(LockProviderPlugin_iid)) {
        throw std::runtime_error("the plugin at \"" + shownWord(path) + "\" is a \""
                                 + shownWord(iid.toStdString())
                                 + "\", not a \"" LockProviderPlugin_iid "\"");
    }
    ProviderRegistry::Kind kind;
    kind.identifier =
        metadata.value(u"MetaData").toObject().value(u"identifier").toString().toStdString();
    if (kind.identifier.empty())
        throw std::runtime_error("the plugin at \"" + shownWord(path) + "\" has no identifier");
    LockProviderPlugin* plugin = nullptr;
    try {
        plugin = qobject_cast<LockProviderPlugin*>(loader.instance());
    } catch (...) { // its constructor is a stranger's code
        throw std::runtime_error("the plugin at \"" + shownWord(path)
                                 + "\" can't be loaded: " + messageOf(std::current_exception()));
    }
    if (!plugin) {
        throw std::runtime_error("the plugin at \"" + shownWord(path)
                                 + "\" can't be loaded: " + loader.errorString().toStdString());
    }
    kind.factory = [plugin](const Container& container, const ProviderSetup& setup) {
        return plugin->create(container, setup);
    };
    return kind;
}

} // namespace lockboard
