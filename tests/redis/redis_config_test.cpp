// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/redis/redis_fixture.h"

using namespace Qt::StringLiterals;

namespace lockboard::test {

//! Options that are wrong are said with their place, and never with their value.
class RedisConfigTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void saysWhereAMistakeIs_data();
    void saysWhereAMistakeIs();
    void speaksTheSchemesOfRedis();
};

void RedisConfigTest::saysWhereAMistakeIs_data()
{
    QTest::addColumn<QString>("options");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("problem");
    const QString url = u"/providers/0/options/redisUrl"_s;
    const QString nested = u"/providers/0/options/redisOptions/"_s;
    const auto add = [](const char* name, const QString& options, const QString& path,
                        const QString& problem) {
        QTest::newRow(name) << options << path << problem;
    };
    add("nothing", u""_s, u"/providers/0/options"_s, u"must say where Redis is"_s);
    add("not a string", u"\"redisUrl\": 5"_s, url, u"must be a string"_s);
    add("no URL", u"\"redisUrl\": \"s3cret\""_s, url, u"must be a URL such as"_s);
    add("scheme", u"\"redisUrl\": \"http://:s3cret@h\""_s, url, u"must be a URL such as"_s);
    add("port", u"\"redisUrl\": \"redis://:s3cret@h:70000\""_s, url, u"names a port that is not"_s);
    add("port 0", u"\"redisUrl\": \"redis://:s3cret@h:0\""_s, url, u"names port 0"_s);
    add("no host", u"\"redisUrl\": \"redis://:s3cret@/1\""_s, url, u"names no host"_s);
    add("database", u"\"redisUrl\": \"redis://:s3cret@h/s3cret\""_s, url, u"by a number"_s);
    add("user only", u"\"redisUrl\": \"redis://s3cret@h\""_s, url, u"no password"_s);
    add("hash", u"\"redisUrl\": \"redis://:s3cret@h/0#x\""_s, url, u"%23"_s);
    add("parameter", u"\"redisUrl\": \"redis://:s3cret@h/0?x=s3cret\""_s, url, u"?db=NUMBER"_s);
    add("unknown", u"\"redisUrl\": \"redis://h\", \"colour\": 1"_s,
        u"/providers/0/options/colour"_s, u"is not a known option"_s);
    add("unknown within", u"\"redisOptions\": {\"host\": \"h\", \"colour\": 1}"_s,
        nested + u"colour"_s, u"is not a known option"_s);
    add("port's type", u"\"redisOptions\": {\"host\": \"h\", \"port\": \"6379\"}"_s,
        nested + u"port"_s, u"must be a number"_s);
    add("port's range", u"\"redisOptions\": {\"host\": \"h\", \"port\": 0}"_s, nested + u"port"_s,
        u"from 1 to 65535"_s);
    add("password's type", u"\"redisOptions\": {\"host\": \"h\", \"password\": 1}"_s,
        nested + u"password"_s, u"must be a string"_s);
    add("tls", u"\"redisOptions\": {\"host\": \"h\", \"tls\": 1}"_s, nested + u"tls"_s,
        u"must be true or false"_s);
    add("tls over a socket", u"\"redisOptions\": {\"path\": \"/p\", \"tls\": {}}"_s,
        nested + u"tls"_s, u"Unix socket"_s);
    const QString cluster = u"/providers/0/options/cluster"_s;
    add("no nodes", u"\"cluster\": []"_s, cluster, u"one node of the cluster at least"_s);
    add("no list of nodes", u"\"cluster\": \"h\""_s, cluster, u"must be a list"_s);
    add("node without host", u"\"cluster\": [{\"port\": 7000}]"_s, cluster + u"/0"_s,
        u"names no host"_s);
    add("node's port", u"\"cluster\": [{\"host\": \"h\"}, {\"host\": \"i\", \"port\": 0}]"_s,
        cluster + u"/1/port"_s, u"from 1 to 65535"_s);
    add("node's option", u"\"cluster\": [{\"host\": \"h\", \"colour\": 1}]"_s,
        cluster + u"/0/colour"_s, u"is not a known option"_s);
    add("cluster's database", u"\"redisUrl\": \"redis://h/3\", \"cluster\": [{\"host\": \"h\"}]"_s,
        cluster, u"database 0 only"_s);
    add("cluster with sentinels",
        u"\"redisOptions\": {\"sentinels\": [{}], \"name\": \"s\"}, \"cluster\": [{\"host\": \"h\"}]"_s,
        cluster, u"no sentinels"_s);
    const QString sentinels = u"\"redisOptions\": {\"sentinels\": "_s;
    add("no sentinels", sentinels + u"[], \"name\": \"shop\"}"_s, nested + u"sentinels"_s,
        u"at least one"_s);
    add("no list of sentinels", sentinels + u"{}, \"name\": \"shop\"}"_s, nested + u"sentinels"_s,
        u"must be a list"_s);
    add("no sentinel", sentinels + u"[5], \"name\": \"shop\"}"_s, nested + u"sentinels/0"_s,
        u"must be an object"_s);
    add("no master's name", sentinels + u"[{}]}"_s, nested + u"sentinels"_s, u"needs \"name\""_s);
    add("sentinel's port", sentinels + u"[{}, {\"port\": 0}], \"name\": \"shop\"}"_s,
        nested + u"sentinels/1/port"_s, u"from 1 to 65535"_s);
    add("unknown of a sentinel", sentinels + u"[{\"colour\": 1}], \"name\": \"shop\"}"_s,
        nested + u"sentinels/0/colour"_s, u"is not a known option"_s);
    add("sentinel's user only",
        sentinels + u"[{}], \"name\": \"shop\", \"sentinelUsername\": \"s3cret\"}"_s,
        nested + u"sentinelUsername"_s, u"no password"_s);
    add("name without sentinels", u"\"redisOptions\": {\"host\": \"h\", \"name\": \"shop\"}"_s,
        nested + u"name"_s, u"there are no \"sentinels\""_s);
    add("TLS and no TLS",
        sentinels
            + u"[{}], \"name\": \"shop\", \"tls\": true, \"enableTLSForSentinelMode\": false}"_s,
        nested + u"enableTLSForSentinelMode"_s, u"leave out one of the two"_s);
    add("sentinels over a socket",
        u"\"redisUrl\": \"/p\", "_s + sentinels + u"[{}], \"name\": \"shop\"}"_s,
        nested + u"sentinels"_s, u"Unix socket"_s);
    add("options' type", u"\"redisOptions\": 1"_s, u"/providers/0/options/redisOptions"_s,
        u"must be an object"_s);
    add("namespace", u"\"redisUrl\": \"redis://h\", \"namespace\": \"\""_s,
        u"/providers/0/options/namespace"_s, u"must not be empty"_s);
    add("retry", u"\"redisUrl\": \"redis://h\", \"defaultRetryInterval\": 0"_s,
        u"/providers/0/options/defaultRetryInterval"_s, u"from 1 to"_s);
    add("backoff", u"\"redisUrl\": \"redis://h\", \"backoffFactor\": 0.5"_s,
        u"/providers/0/options/backoffFactor"_s, u"from 1 to 100"_s);
    add("replicas", u"\"redisUrl\": \"redis://h\", \"waitReplicas\": -1"_s,
        u"/providers/0/options/waitReplicas"_s, u"from 0 to 100"_s);
    add("replicas' timeout", u"\"redisUrl\": \"redis://h\", \"waitReplicasTimeout\": 0"_s,
        u"/providers/0/options/waitReplicasTimeout"_s, u"from 1 to"_s);
    add("timeout", u"\"redisUrl\": \"redis://h\", \"waitLockingTimeout\": \"5\""_s,
        u"/providers/0/options/waitLockingTimeout"_s, u"must be a number"_s);
    add("ownerless", u"\"redisUrl\": \"redis://h\", \"ownerless\": \"maybe\""_s,
        u"/providers/0/options/ownerless"_s, u"must be"_s);
}

void RedisConfigTest::saysWhereAMistakeIs()
{
    QFETCH(const QString, options);
    QFETCH(const QString, path);
    QFETCH(const QString, problem);
    try {
        const RedisModule locks(options);
        QFAIL("no error");
    } catch (const ConfigError& error) {
        QCOMPARE(QString::fromStdString(error.path()), path);
        QCOMPARE(error.line(), 3);
        QVERIFY2(error.message().find(problem.toStdString()) != std::string::npos, error.what());
        QVERIFY2(error.message().find("s3cret") == std::string::npos, error.what());
    }
}

void RedisConfigTest::speaksTheSchemesOfRedis()
{
    for (const char* url : {"redis://h", "rediss://h:1/2", "redis://u:p@[::1]:7/0?db=3",
                            "unix:///run/redis.sock", "/run/redis.sock"})
        QCOMPARE(Config::connectTo(url, builtInKinds()).entries().front().provider.kind.identifier,
                 std::string("redis"));
    const ProviderRegistry registry = builtInKinds();
    for (const char* name : {"@medusajs/locking-redis", "@medusajs/medusa/locking-redis"}) {
        const auto found = registry.find(name);
        QVERIFY(found && found->medusa);
    }
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::RedisConfigTest)
#include "redis_config_test.moc"
