// SPDX-License-Identifier: MIT
#include "app/demo/demo_workers.h"

#include <QUuid>

namespace lockboard {

using namespace std::chrono_literals;

static constexpr auto pace = 120ms;
static const std::string renewer = "fulfillment@shop-eu-1";

DemoWorkers::DemoWorkers(LockProvider& provider)
    : m_provider(provider)
{
    populate();
    connect(&m_pace, &QTimer::timeout, this, &DemoWorkers::work);
    m_pace.start(pace);
}

int DemoWorkers::dice(int sides)
{
    return std::uniform_int_distribution<int>(0, sides - 1)(m_random);
}

//! Medusa's ids: a prefix and a ULID.
std::string DemoWorkers::newKey(const char* prefix)
{
    static constexpr char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::string key = std::string(prefix) + "_01HX";
    for (int i = 0; i < 22; ++i)
        key += alphabet[dice(32)];
    return key;
}

std::string DemoWorkers::worker()
{
    static constexpr const char* names[] = {
        "checkout@shop-eu-1", "checkout@shop-eu-2", "inventory@shop-eu-1",
        "payments@shop-eu-2", "import-worker-7",
    };
    return names[dice(5)];
}

void DemoWorkers::take(const std::string& key, const Owner& owner, std::optional<Duration> lease)
{
    letRun(m_provider.acquire(key, AcquireOptions().ownedBy(owner).expiringIn(lease), {}));
}

void DemoWorkers::populate()
{
    for (int i = 0; i < 7; ++i)
        take(newKey("cart"), worker(), Duration(4000 + dice(50'000)));
    for (int i = 0; i < 9; ++i)
        take(newKey("order"), worker(), Duration(30'000 + dice(240'000)));
    for (int i = 0; i < 6; ++i)
        take(newKey("iitem"), "inventory@shop-eu-1", Duration(60'000 + dice(1'500'000)));
    for (int i = 0; i < 2; ++i)
        take(newKey("ful"), renewer, 45s);
    for (int i = 0; i < 2; ++i)
        take(newKey("cart"), {}, Duration(20'000 + dice(60'000)));
    take("migration:catalogue-2024-05", {}, {});
    take("nightly-export", "cron@shop-eu-2", {});
    take("sync:erp:prices", "import-worker-7", 6h);
    m_longKeys = {newKey("ful"), newKey("ful"), newKey("ful")};
    for (const std::string& key : m_longKeys)
        take(key, renewer, 45s);
}

void DemoWorkers::work()
{
    switch (dice(6)) {
    case 0:
    case 1:
        hold(newKey("cart"), worker(), Duration(15'000 + dice(30'000)),
             Duration(1500 + dice(9000)));
        break;
    case 2:
        hold(newKey("order"), worker(), Duration(60'000 + dice(60'000)),
             Duration(2000 + dice(15'000)));
        break;
    case 3:
        take(newKey("cart"), worker(), Duration(5000 + dice(12'000))); // forgets to release
        break;
    case 4:
        renewSome();
        break;
    case 5:
        hold(newKey("payses"),
             "execute:" + QUuid::createUuid().toString(QUuid::WithoutBraces).toStdString(),
             ExecuteOptions::defaultLease, Duration(3000 + dice(6000))); // as a job of execute does
        break;
    }
}

void DemoWorkers::hold(const std::string& key, const Owner& owner, Duration lease, Duration work)
{
    take(key, owner, lease);
    QTimer::singleShot(work, this, [this, key, owner] {
        letRun(m_provider.release(key, ReleaseOptions().ownedBy(owner), {}));
    });
}

void DemoWorkers::renewSome()
{
    const std::string& key = m_longKeys[std::size_t(dice(int(m_longKeys.size())))];
    take(key, renewer, 45s);
}

} // namespace lockboard
