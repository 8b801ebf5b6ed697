// SPDX-License-Identifier: MIT
#pragma once

#include "tests/support/redis_server.h"

#include <QTest>

#include <stdexcept>
#include <vector>

namespace lockboard::test {

//! A master named "shop", its replica and three sentinels that make the one the other when it is
//! silent for half a second.
class Sentinels final {
public:
    Sentinels()
        : first(std::make_unique<RedisServer>())
        , second(std::make_unique<RedisServer>(QStringList{QStringLiteral("--replicaof"),
                                                           QStringLiteral("127.0.0.1"),
                                                           QString::number(first->port())}))
    {
        await([this] {
            return first->cli({QStringLiteral("WAIT"), QStringLiteral("1"), QStringLiteral("100")})
                == QStringLiteral("1");
        });
        for (int i = 0; i < 3; ++i)
            all.push_back(RedisServer::sentinel(configuration(*first, 2)));
        // They find each other, and the replica, by what they publish at the master.
        for (const auto& sentinel : all) {
            await([&] {
                const QString known =
                    sentinel->cli({QStringLiteral("SENTINEL"), QStringLiteral("ckquorum"),
                                   QStringLiteral("shop")});
                return known.startsWith(QStringLiteral("OK 3"))
                    && fieldOf(*sentinel, "num-slaves") == QStringLiteral("1");
            });
        }
    }

    [[nodiscard]] static QByteArray configuration(const RedisServer& master, int quorum)
    {
        return "sentinel monitor shop 127.0.0.1 " + QByteArray::number(master.port()) + ' '
            + QByteArray::number(quorum)
            + "\nsentinel down-after-milliseconds shop 500\nsentinel failover-timeout shop 3000\n";
    }
    //! The member `redisOptions` for these sentinels.
    [[nodiscard]] static QString options(const QList<quint16>& ports, const QString& more = {},
                                         const QString& name = QStringLiteral("shop"))
    {
        QStringList list;
        for (const quint16 port : ports)
            list += QStringLiteral("{\"host\": \"127.0.0.1\", \"port\": %1}").arg(port);
        return QStringLiteral("\"redisOptions\": {\"name\": \"%1\", \"sentinels\": [%2]%3}")
            .arg(name, list.join(QStringLiteral(", ")), more);
    }
    [[nodiscard]] QString options() const
    {
        return options({all[0]->port(), all[1]->port(), all[2]->port()});
    }

    std::unique_ptr<RedisServer> first; //!< the master at the beginning
    std::unique_ptr<RedisServer> second;
    std::vector<std::unique_ptr<RedisServer>> all;

private:
    template <typename Condition> static void await(Condition holds)
    {
        if (!QTest::qWaitFor(holds, 30'000))
            throw std::runtime_error("the sentinels did not come together");
    }
    static QString fieldOf(const RedisServer& sentinel, const char* name)
    {
        const QStringList lines =
            sentinel
                .cli({QStringLiteral("SENTINEL"), QStringLiteral("master"), QStringLiteral("shop")})
                .split(u'\n');
        return lines.value(lines.indexOf(QLatin1String(name)) + 1);
    }
};

} // namespace lockboard::test
