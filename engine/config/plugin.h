// SPDX-License-Identifier: MIT
#pragma once

#include "engine/config/kinds.h"

#include <QtPlugin>

namespace lockboard {

//! A provider in a shared library of its own, named by its path in a config's `resolve`. The plugin
//! is a QObject that implements this and carries metadata beside it, which is read before anything
//! is loaded: `Q_PLUGIN_METADATA(IID LockProviderPlugin_iid FILE "provider.json")` with
//! `{"identifier": "my-lock"}`. Built against the same compiler, Qt and engine as the program.
//! What create() throws, but for ConfigError, or a null of it, leaves a provider whose every call
//! says why (ProviderInfo::problem); the program and the other providers go on.
class LockProviderPlugin {
public:
    virtual ~LockProviderPlugin() = default;
    [[nodiscard]] virtual std::unique_ptr<LockProvider> create(const Container& container,
                                                               const ProviderSetup& setup) = 0;
};

//! Loads the plugin at `path`; never unloads it. \throws std::runtime_error: one sentence
[[nodiscard]] ProviderRegistry::Kind loadPlugin(const std::string& path);

} // namespace lockboard

#define LockProviderPlugin_iid "lockboard.LockProviderPlugin/1"
Q_DECLARE_INTERFACE(lockboard::LockProviderPlugin, LockProviderPlugin_iid)
