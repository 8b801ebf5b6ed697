// SPDX-License-Identifier: MIT
#include "engine/postgres/wire/settings.h"

#include "engine/config/kinds.h"
#include "engine/config/server_url.h"
#include "engine/postgres/wire/url.h"

#include <QHostAddress>
#include <QString>

#include <libpq-fe.h>

#include <memory>
#include <utility>

namespace lockboard::postgres {

using namespace Qt::StringLiterals;

//! The value of a parameter as libpq will take it: as given, else from the environment, else its
//! own default.
std::string Endpoint::word(const std::string& name) const
{
    const auto given = words.find(name);
    if (given != words.end())
        return given->second;
    if (!std::exchange(m_hasDefaults, true)) {
        const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> defaults(
            PQconndefaults(), &PQconninfoFree);
        for (const PQconninfoOption* one = defaults.get(); one && one->keyword; ++one) {
            if (one->val)
                m_defaults[one->keyword] = one->val;
        }
        m_defaults.erase("password"); // nobody asks for it here
    }
    const auto known = m_defaults.find(name);
    return known == m_defaults.end() ? std::string() : known->second;
}

std::string Endpoint::name() const
{
    std::string host = word("host");
    if (host.empty())
        host = word("hostaddr");
    if (host.empty())
        host = "the local socket";
    const bool v6 = host.find(':') != std::string::npos;
    std::string database = word("dbname");
    if (database.empty())
        database = word("user");
    host = printable(host);
    return (v6 ? '[' + host + ']' : host) + ':' + word("port") + '/' + printable(database);
}

std::string Endpoint::hostToResolve() const
{
    const std::string host = word("host");
    const bool isName = !host.empty() && word("hostaddr").empty() && host.front() != '/'
        && host.front() != '@' && host.find(',') == std::string::npos
        && QHostAddress(QString::fromStdString(host)).isNull();
    return isName ? host : std::string();
}

//! Nothing that is sent there leaves this machine.
static bool isHere(const std::string& host)
{
    const QString name = QString::fromStdString(host).toLower();
    return host.empty() || host.front() == '/' || host.front() == '@' || name == "localhost"_L1
        || name.endsWith(".localhost"_L1) || QHostAddress(name).isLoopback();
}

std::vector<std::string> Endpoint::warnings() const
{
    const std::string address = word("hostaddr");
    const std::string mode = word("sslmode");
    if (isHere(address.empty() ? word("host") : address) || mode == "verify-full")
        return {};
    return {"The connection to PostgreSQL at " + name() + " has sslmode " + mode
            + ": whoever sits in between can read or change everything; verify-full would "
              "prevent that."};
}

static Duration msOr(const ConfigValue& options, const std::string& name, Duration fallback)
{
    constexpr std::int64_t aDay = 24 * 3600 * 1000;
    const ConfigValue value = options.member(name);
    return value.isNull() ? fallback : Duration(value.toInteger(1, aDay));
}

static std::string nameOr(const ConfigValue& options, const std::string& member,
                          std::string fallback)
{
    const ConfigValue value = options.member(member);
    if (value.isNull())
        return fallback;
    std::string name = value.toString();
    constexpr std::size_t longest = 63; // PostgreSQL cuts longer names
    if (name.empty() || name.size() > longest || name.find('\0') != std::string::npos)
        value.fail("must be a name of 1 to 63 bytes");
    requireName(value, name);
    return name;
}

Settings Settings::read(const ProviderSetup& setup)
{
    const ConfigValue& options = setup.options;
    Settings settings;
    settings.ownerless = setup.ownerless();
    const ConfigValue client = options.member("clientUrl");
    const ConfigValue database = options.member("databaseUrl");
    if (client.isNull() == database.isNull())
        options.fail(client.isNull()
                         ? "must say where PostgreSQL is: \"databaseUrl\" (or \"clientUrl\")"
                         : "has \"databaseUrl\" and \"clientUrl\"; one of them is enough");
    settings.endpoint.words = readPostgresUrl(client.isNull() ? database : client);
    settings.schema = nameOr(options, "schema", settings.schema);
    settings.table = nameOr(options, "table", settings.table);
    settings.createTable = options.boolOr("createTable", settings.createTable);
    Endpoint& endpoint = settings.endpoint;
    endpoint.connectTimeout = msOr(options, "connectTimeout", endpoint.connectTimeout);
    endpoint.statementTimeout = msOr(options, "statementTimeout", endpoint.statementTimeout);
    endpoint.lockTimeout = msOr(options, "lockTimeout", endpoint.lockTimeout);
    endpoint.resolve();
    return settings;
}

} // namespace lockboard::postgres
