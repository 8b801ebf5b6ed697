// SPDX-License-Identifier: MIT
#pragma once

#include "tests/cli/ctl.h"
#include "tests/support/redis_server.h"

namespace lockboard::test {

//! The program beside a redis-server, and what lies there.
class RedisCtl {
protected:
    RedisCtl() { m_ctl.alwaysWith({"--connect", m_server.url().toUtf8()}); }

    void flush() const { m_server.cli({QStringLiteral("FLUSHALL")}); }
    void set(const char* key, const char* owner) const
    {
        m_server.cli({QStringLiteral("SET"),
                      QStringLiteral("medusa_lock:") + QString::fromUtf8(key),
                      QString::fromUtf8(owner)});
    }
    [[nodiscard]] QString value(const QString& key) const
    {
        return m_server.cli({QStringLiteral("GET"), QStringLiteral("medusa_lock:") + key});
    }
    //! That many locks of one owner.
    void fill(int count, const char* owner) const
    {
        m_server.cli({QStringLiteral("EVAL"),
                      QStringLiteral("for i = 1, tonumber(ARGV[1]) do redis.call('set', "
                                     "'medusa_lock:' .. ARGV[2] .. i, ARGV[2]) end"),
                      QStringLiteral("0"), QString::number(count), QString::fromUtf8(owner)});
    }

    RedisServer m_server;
    Ctl m_ctl;
};

} // namespace lockboard::test
