// SPDX-License-Identifier: MIT
#include "engine/redis/wire/settings.h"

#include "engine/config/kinds.h"
#include "engine/config/server_url.h"
#include "engine/redis/wire/note.h"
#include "engine/redis/wire/tls.h"

#include <QHostAddress>
#include <QUrl>
#include <QUrlQuery>

#include <algorithm>

namespace lockboard::redis {

using namespace Qt::StringLiterals;

static constexpr int mostDatabases = 1'000'000;

std::string Endpoint::name() const
{
    if (!path.empty())
        return printable(path);
    if (host.empty())
        return "the master \"" + printable(sentinel.master) + '"';
    const bool v6 = host.find(':') != std::string::npos;
    return printable(v6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

//! Nothing that is sent there leaves this machine.
static bool isHere(const std::string& host)
{
    const QString name = QString::fromStdString(host).toLower();
    return name == "localhost"_L1 || name.endsWith(".localhost"_L1)
        || QHostAddress(name).isLoopback();
}

bool Endpoint::isHere() const
{
    const auto& asked = sentinel.sentinels;
    if (!asked.empty()) // a master is hardly elsewhere if all of them are here
        return std::all_of(asked.begin(), asked.end(),
                           [](const auto& each) { return redis::isHere(each.host); });
    return !path.empty() || redis::isHere(host);
}

std::vector<std::string> Endpoint::warnings() const
{
    std::vector<std::string> sentences;
    if (tls && !tls->verifies())
        sentences.push_back("The certificate of Redis at " + name()
                            + " is not verified (rejectUnauthorized is false): whoever sits in "
                              "between can read and change everything.");
    if (!tls && !password.empty() && !isHere())
        sentences.push_back("The password for Redis at " + name()
                            + " goes over the network unencrypted; rediss:// would encrypt it.");
    if (!sentinel.tls && !sentinel.password.empty() && !isHere())
        sentences.push_back(
            "The password for the sentinels of \"" + printable(sentinel.master)
            + "\" goes over the network unencrypted; sentinelTLS would encrypt it.");
    if (sentinel.tls && !sentinel.tls->verifies())
        sentences.push_back("The certificates of the sentinels of \"" + printable(sentinel.master)
                            + "\" are not verified (rejectUnauthorized is false).");
    return sentences;
}

static int readDatabase(const ConfigValue& place, const QString& text)
{
    bool good = false;
    const int database = text.toInt(&good);
    if (!good || database < 0 || database > mostDatabases)
        place.fail("must name the database by a number, as in redis://127.0.0.1:6379/0");
    return database;
}

static bool isScheme(const QString& scheme)
{
    return scheme == "unix"_L1 || scheme == "redis"_L1 || scheme == "rediss"_L1;
}

[[noreturn]] static void failAsNoUrl(const ConfigValue& place)
{
    place.fail("must be a URL such as redis://127.0.0.1:6379/0, rediss://host or "
               "unix:///run/redis.sock");
}

//! Qt's own words would repeat the URL: ours name what is wrong with it.
static QUrl checkedUrl(const ConfigValue& place, const std::string& text)
{
    const QUrl url(QString::fromStdString(text), QUrl::StrictMode);
    if (url.errorString().startsWith("Invalid port"_L1))
        place.fail("names a port that is not a number from 1 to 65535");
    if (!url.isValid() || !isScheme(url.scheme()))
        failAsNoUrl(place);
    if (url.hasFragment())
        place.fail("has a fragment (#...); in a password, write # as %23");
    return url;
}

static void readSocket(const ConfigValue& place, const QUrl& url, Endpoint& endpoint)
{
    const QString path = url.path(QUrl::FullyDecoded);
    if (path.isEmpty() || path.contains("://"_L1) || !url.host().isEmpty())
        place.fail("must name the socket by an absolute path, as in unix:///run/redis.sock");
    endpoint.path = path.toStdString();
}

static void readHost(const ConfigValue& place, const QUrl& url, Endpoint& endpoint)
{
    if (url.host().isEmpty())
        place.fail("names no host");
    endpoint.host = url.host(QUrl::FullyDecoded).toStdString();
    if (!isHost(endpoint.host))
        place.fail("names a host that is no host's name or address");
    endpoint.port = url.port(endpoint.port);
    if (endpoint.port == 0)
        place.fail("names port 0; a port is a number from 1 to 65535");
    const QString path = url.path(QUrl::FullyDecoded);
    if (path.size() > 1)
        endpoint.database = readDatabase(place, path.mid(1));
}

static void readUrl(const ConfigValue& place, Endpoint& endpoint)
{
    const std::string text = place.toUrl();
    const bool isPath = text.starts_with('/') && !text.starts_with("//");
    QUrl url;
    if (isPath) {
        if (text.substr(0, text.rfind('@') + 1).find(':') != std::string::npos)
            place.fail("may hold a password; in the path of a socket write @ as %40");
        url = checkedUrl(place, "unix:" + text);
    } else if (text.starts_with("unix:/") && !text.starts_with("unix://")) {
        url = checkedUrl(place, text);
    } else {
        const std::string scheme = text.substr(0, std::min(text.find(':'), text.size()));
        if (text.find("://") == std::string::npos || !isScheme(QString::fromStdString(scheme)))
            failAsNoUrl(place);
        const ServerUrl parts = ServerUrl::parse(place, text);
        url = checkedUrl(place, parts.rest);
        endpoint.username = parts.username;
        endpoint.password = parts.password;
    }
    if (!endpoint.username.empty() && endpoint.password.empty())
        place.fail("names a user but no password");
    if (url.scheme() == "unix"_L1)
        readSocket(place, url, endpoint);
    else
        readHost(place, url, endpoint);
    if (url.scheme() == "rediss"_L1)
        endpoint.tls = Tls::read(place);
    const auto items = QUrlQuery(url).queryItems(QUrl::FullyDecoded);
    for (const auto& [name, value] : items) {
        if (name != "db"_L1)
            place.fail("may have one parameter only: ?db=NUMBER");
        endpoint.database = readDatabase(place, value);
    }
}

static std::int64_t integerOr(const ConfigValue& parent, const std::string& name,
                              std::int64_t fallback, std::int64_t least, std::int64_t most)
{
    const ConfigValue value = parent.member(name);
    return value.isNull() ? fallback : value.toInteger(least, most);
}

static Duration msOr(const ConfigValue& parent, const std::string& name, Duration fallback)
{
    constexpr std::int64_t aDay = 24 * 3600 * 1000;
    return Duration(integerOr(parent, name, fallback.count(), 1, aDay));
}

//! As in ioredis, what the URL says stands; the options say the rest.
static void readRedisOptions(const ConfigValue& options, bool hasUrl, Endpoint& endpoint)
{
    Endpoint said;
    said.host = options.stringOr("host", said.host);
    requireHost(options.member("host"), said.host);
    said.port = static_cast<int>(integerOr(options, "port", said.port, 1, 65535));
    said.path = options.stringOr("path", {});
    if (!said.path.empty() && (!said.path.starts_with('/') || said.path.starts_with("//")))
        options.member("path").fail("must be the absolute path of a Unix socket");
    said.username = options.stringOr("username", {});
    said.password = options.stringOr("password", {});
    said.database = static_cast<int>(integerOr(options, "db", 0, 0, mostDatabases));
    const ConfigValue tls = options.member("tls");
    if (tls.isObject() || (!tls.isNull() && tls.toBool()))
        said.tls = Tls::read(tls);
    if (!hasUrl) {
        endpoint = said;
    } else {
        if (said.tls)
            endpoint.tls = said.tls;
        if (endpoint.password.empty()) {
            endpoint.username = said.username;
            endpoint.password = said.password;
        }
        if (endpoint.database == 0)
            endpoint.database = said.database;
    }
    if (!endpoint.username.empty() && endpoint.password.empty())
        options.member("username").fail("names a user but no password");
    if (endpoint.tls && !endpoint.path.empty())
        tls.fail("TLS is not to be had over a Unix socket");
    endpoint.sentinel = SentinelSettings::read(options);
    if (!endpoint.sentinel.sentinels.empty()) {
        if (!endpoint.path.empty())
            options.member("sentinels").fail("can't be had beside a Unix socket");
        const bool allowsTls = options.boolOr("enableTLSForSentinelMode", true);
        if (endpoint.tls && !allowsTls)
            options.member("enableTLSForSentinelMode")
                .fail("switches off the TLS that is asked for; leave out one of the two");
        endpoint.host.clear(); // the sentinels say it, whatever the URL does
    }
    endpoint.clientName = options.stringOr("connectionName", endpoint.clientName);
    endpoint.connectTimeout = msOr(options, "connectTimeout", endpoint.connectTimeout);
    endpoint.commandTimeout = msOr(options, "commandTimeout", endpoint.commandTimeout);
    options.rejectUnknown();
}

//! Nodes of a cluster to ask for all the others; come in as to the endpoint.
static std::vector<Endpoint> readSeeds(const ConfigValue& list, const Endpoint& endpoint)
{
    std::vector<Endpoint> seeds;
    if (list.isNull())
        return seeds;
    for (const ConfigValue& place : list.items()) {
        Endpoint seed = endpoint;
        seed.host = place.stringOr("host", {});
        if (seed.host.empty())
            place.fail("names no host");
        requireHost(place.member("host"), seed.host);
        seed.port = static_cast<int>(integerOr(place, "port", Endpoint().port, 1, 65535));
        place.rejectUnknown();
        seeds.push_back(std::move(seed));
    }
    if (seeds.empty())
        list.fail("must name one node of the cluster at least");
    if (!endpoint.path.empty())
        list.fail("can't be had over a Unix socket");
    if (!endpoint.sentinel.sentinels.empty())
        list.fail("has no sentinels, and some are configured");
    if (endpoint.database != 0)
        list.fail("has database 0 only, and another one is configured");
    return seeds;
}

Settings Settings::read(const ProviderSetup& setup)
{
    const ConfigValue& options = setup.options;
    Settings settings;
    settings.ownerless = setup.ownerless();

    const ConfigValue url = options.member("redisUrl");
    if (!url.isNull())
        readUrl(url, settings.endpoint);
    const ConfigValue redisOptions = options.member("redisOptions");
    if (!redisOptions.isNull())
        readRedisOptions(redisOptions, !url.isNull(), settings.endpoint);
    const ConfigValue cluster = options.member("cluster");
    settings.seeds = readSeeds(cluster, settings.endpoint);
    const bool isSaid =
        !url.isNull() || (!redisOptions.isNull() && !redisOptions.member("host").isNull());
    if (!settings.seeds.empty() && isSaid)
        settings.seeds.insert(settings.seeds.begin(), settings.endpoint);
    else if (!settings.seeds.empty())
        settings.endpoint = settings.seeds.front();
    if (url.isNull() && cluster.isNull()
        && (redisOptions.isNull()
            || (redisOptions.member("host").isNull() && redisOptions.member("path").isNull()
                && redisOptions.member("sentinels").isNull())))
        options.fail("must say where Redis is: \"redisUrl\", \"redisOptions\" with host, path or "
                     "sentinels, or \"cluster\"");

    const ConfigValue keyspace = options.member("namespace");
    if (!keyspace.isNull()) {
        settings.keyspace = keyspace.toString();
        if (settings.keyspace.empty())
            keyspace.fail("must not be empty: every key of the database would count as a lock");
        requireName(keyspace, settings.keyspace);
    }
    const ConfigValue timeout = options.member("waitLockingTimeout");
    if (!timeout.isNull())
        settings.executeTimeout =
            ExecuteOptions().timingOutAfterSeconds(timeout.toNumber()).timeout();
    settings.firstRetry = msOr(options, "defaultRetryInterval", settings.firstRetry);
    settings.longestRetry =
        std::max(msOr(options, "maximumRetryInterval", settings.longestRetry), settings.firstRetry);
    const ConfigValue factor = options.member("backoffFactor");
    if (!factor.isNull()) {
        settings.backoffFactor = factor.toNumber();
        if (settings.backoffFactor < 1 || settings.backoffFactor > 100)
            factor.fail("must be a number from 1 to 100");
    }
    settings.fencing = options.boolOr("fencing", settings.fencing);
    settings.annotate = options.boolOr("annotate", settings.annotate);
    const std::string_view ours = Notes::keyspace;
    if ((settings.fencing || settings.annotate)
        && (ours.starts_with(settings.keyspace) || settings.keyspace.starts_with(ours)))
        keyspace.fail("must not begin as \"lockboard:\" does: what \"fencing\" and \"annotate\" "
                      "write there would count as locks");
    settings.waitReplicas = static_cast<int>(integerOr(options, "waitReplicas", 0, 0, 100));
    settings.waitReplicasTimeout =
        msOr(options, "waitReplicasTimeout", settings.waitReplicasTimeout);
    return settings;
}

} // namespace lockboard::redis
