// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/provider.h"

#include <QTimer>

#include <random>

namespace lockboard {

//! A shop's workers: carts are completed, orders and stock are changed, jobs run; some forget to
//! release, some take locks without owner, some without lease. On the engine's thread.
class DemoWorkers final : public QObject {
    Q_OBJECT

public:
    explicit DemoWorkers(LockProvider& provider);

private:
    void populate();
    void work();
    void hold(const std::string& key, const Owner& owner, Duration lease, Duration work);
    void renewSome();
    [[nodiscard]] std::string newKey(const char* prefix);
    [[nodiscard]] std::string worker();
    [[nodiscard]] int dice(int sides);
    void take(const std::string& key, const Owner& owner, std::optional<Duration> lease);

    LockProvider& m_provider;
    std::mt19937_64 m_random{20'240'501}; // the same first look every time
    std::vector<std::string> m_longKeys;
    QTimer m_pace;
};

} // namespace lockboard
