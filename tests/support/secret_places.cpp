// SPDX-License-Identifier: MIT
#include "tests/support/secret_places.h"

#include <string_view>

namespace lockboard::test {

static constexpr qsizetype part = 4; //!< characters that count as a part of a password

#define PROVIDER(kind, options)                                                                    \
    R"({"providers": [{"resolve": ")" kind R"(", "id": "shop", "options": {)" options R"(}}]})"
#define REDIS(options) PROVIDER("redis", options)
#define REDIS_OPTIONS(options)                                                                     \
    REDIS(R"("redisOptions": {"host": "127.0.0.1", "port": 1, )" options "}")
#define POSTGRES(url) PROVIDER("postgres", R"("databaseUrl": ")" url R"(")")

const QList<SecretPlace>& secretConfigs()
{
    static const QList<SecretPlace> all{
        {"Redis: URL", REDIS(R"("redisUrl": "redis://:<json>@127.0.0.1:1/0")")},
        {"Redis: URL with a user", REDIS(R"("redisUrl": "redis://ann:<json>@127.0.0.1:1")")},
        {"Redis: URL of TLS", REDIS(R"("redisUrl": "rediss://ann:<json>@127.0.0.1:1")")},
        {"Redis: URL, encoded", REDIS(R"("redisUrl": "redis://ann:<encoded>@127.0.0.1:1")")},
        {"Redis: URL's user", REDIS(R"("redisUrl": "redis://<json>@127.0.0.1:1")")},
        {"Redis: URL without a host", REDIS(R"("redisUrl": "redis://ann:<json>@")")},
        {"Redis: URL's parameter", REDIS(R"("redisUrl": "redis://127.0.0.1:1/0?password=<json>")")},
        {"Redis: URL's database", REDIS(R"("redisUrl": "redis://127.0.0.1:1/<json>")")},
        {"Redis: URL's fragment", REDIS(R"("redisUrl": "redis://127.0.0.1:1/0#<json>")")},
        {"Redis: URL of a socket", REDIS(R"("redisUrl": "unix://:<json>@/nowhere/x.sock")")},
        {"Redis: socket's parameter",
         REDIS(R"("redisUrl": "unix:///nowhere/x.sock?password=<json>")")},
        {"Redis: path's parameter", REDIS(R"("redisUrl": "/nowhere/x.sock?password=<json>")")},
        {"Redis: URL without slashes", REDIS(R"("redisUrl": "redis:ann:<json>@127.0.0.1:1")")},
        {"Redis: no URL", REDIS(R"("redisUrl": "ann:<json>@127.0.0.1:1")")},
        {"Redis: URL in a list", REDIS(R"("redisUrl": ["redis://:<json>@127.0.0.1:1"])")},
        {"Redis: URL of another kind", REDIS(R"("redisUrl": "http://ann:<json>@127.0.0.1")")},
        {"Redis: reference in the URL",
         REDIS(R"("redisUrl": "redis://:${env:LOCKBOARD_TEST_SECRET}@127.0.0.1:1")")},
        {"Redis: reference to the password",
         REDIS_OPTIONS(R"("password": "${file:secret}", "username": "ann")")},
        {"Redis: reference that is the URL", REDIS(R"("redisUrl": "${file:secret}")")},
        {"Redis: reference within an unknown name",
         REDIS(R"("redisUrl": "redis://:<json>${env:-<json>}@127.0.0.1:1")")},
        {"Redis: reference of no kind", REDIS_OPTIONS(R"("password": "${<json>}")")},
        {"Redis: password", REDIS_OPTIONS(R"("password": "<json>")")},
        {"Redis: password in a list", REDIS_OPTIONS(R"("password": ["<json>"])")},
        {"Redis: password in an object", REDIS_OPTIONS(R"("password": {"value": "<json>"})")},
        {"Redis: password as a port", REDIS_OPTIONS(R"("db": "<json>")")},
        {"Redis: password as a switch", REDIS_OPTIONS(R"("tls": "<json>")")},
        {"Redis: user and password", REDIS_OPTIONS(R"("username": "ann:<json>")")},
        {"Redis: password of no server",
         REDIS(R"("redisOptions": {"password": "<json>", "username": "ann"})")},
        {"Redis: URL as a host",
         REDIS(R"("redisOptions": {"host": "redis://ann:<json>@127.0.0.1:1"})")},
        {"Redis: user at a host", REDIS(R"("redisOptions": {"host": "ann:<json>@127.0.0.1"})")},
        {"Redis: URL as a socket", REDIS(R"("redisOptions": {"path": "unix://:<json>@/x"})")},
        {"Redis: sentinel's password",
         REDIS(R"("redisOptions": {"name": "shop", "sentinelPassword": "<json>", "password":
"<json>", "sentinels": [{"host": "127.0.0.1", "port": 1}]})")},
        {"Redis: sentinel's password alone", REDIS_OPTIONS(R"("sentinelPassword": "<json>")")},
        {"Redis: sentinel by URL", REDIS(R"("redisOptions": {"name": "shop", "sentinels":
[{"host": "redis://:<json>@127.0.0.1:1"}]})")},
        {"Redis: sentinels by URL",
         REDIS(R"("redisOptions": {"name": "s", "sentinels": ["redis://:<json>@127.0.0.1"]})")},
        {"Redis: master by URL",
         REDIS(R"("redisOptions": {"name": "redis://:<json>@127.0.0.1:1", "sentinels":
[{"host": "127.0.0.1", "port": 1}]})")},
        {"Redis: node by URL", REDIS(R"("cluster": [{"host": "redis://:<json>@127.0.0.1:1"}])")},
        {"Redis: nodes by URL", REDIS(R"("cluster": ["redis://:<json>@127.0.0.1:1"])")},
        {"Redis: node's password",
         REDIS(R"("cluster": [{"host": "127.0.0.1", "password": "<json>"}])")},
        {"Redis: namespace", REDIS(R"("redisUrl": "redis://127.0.0.1:1", "namespace":
"redis://:<json>@127.0.0.1:1")")},
        {"Redis: word of none", REDIS(R"("redisUrl": "redis://h", "ownerless": "<json>")")},
        {"Redis: key", REDIS_OPTIONS(R"("tls": {"key": "<json>", "cert": "<json>"})")},
        {"Redis: key without certificate", REDIS_OPTIONS(R"("tls": {"key": "<json>"})")},
        {"Redis: authority", REDIS_OPTIONS(R"("tls": {"ca": ["<json>"]})")},
        {"Redis: passphrase", REDIS_OPTIONS(R"("tls": {"passphrase": "<json>"})")},
        {"Redis: passphrase of no string", REDIS_OPTIONS(R"("tls": {"passphrase": ["<json>"]})")},
        {"Redis: key as a file", REDIS_OPTIONS(R"("tls": {"certFile": "secret", "keyFile":
"-----BEGIN PRIVATE KEY-----\n<json>\n-----END PRIVATE KEY-----\n"})")},
        {"Redis: authority as a file",
         REDIS_OPTIONS(R"("tls": {"caFile": "-----BEGIN CERTIFICATE-----\n<json>\n"})")},
        {"Redis: file by a reference",
         REDIS_OPTIONS(R"("tls": {"caFile": "${env:LOCKBOARD_TEST_SECRET}"})")},
        {"Redis: file that is no key", REDIS_OPTIONS(R"("tls": {"caFile": "secret"})")},
        {"Redis: server's name", REDIS_OPTIONS(R"("tls": {"servername":
"rediss://:<json>@127.0.0.1"})")},
        {"PostgreSQL: URL", POSTGRES("postgres://ann:<json>@127.0.0.1:1/shop")},
        {"PostgreSQL: the other scheme", POSTGRES("postgresql://ann:<json>@127.0.0.1:1/shop")},
        {"PostgreSQL: URL, encoded", POSTGRES("postgres://ann:<encoded>@127.0.0.1:1/shop")},
        {"PostgreSQL: URL without a database", POSTGRES("postgres://ann:<json>@127.0.0.1:1")},
        {"PostgreSQL: URL without a host", POSTGRES("postgres://ann:<json>@")},
        {"PostgreSQL: several hosts", POSTGRES("postgres://ann:<json>@127.0.0.1:1,[::1]:1/shop")},
        {"PostgreSQL: parameter", POSTGRES("postgres://127.0.0.1:1/shop?password=<json>")},
        {"PostgreSQL: parameter, encoded",
         POSTGRES("postgres://ann@127.0.0.1:1/shop?password=<encoded>&sslmode=disable")},
        {"PostgreSQL: passphrase",
         POSTGRES("postgres://ann@127.0.0.1:1/shop?sslpassword=<encoded>")},
        {"PostgreSQL: parameter of none", POSTGRES("postgres://127.0.0.1:1/shop?pass=<json>")},
        {"PostgreSQL: word of none", POSTGRES("postgres://127.0.0.1:1/shop?sslmode=<encoded>")},
        {"PostgreSQL: port", POSTGRES("postgres://127.0.0.1:1<encoded>/shop")},
        {"PostgreSQL: host", POSTGRES("postgres:///shop?host=ann%3A<encoded>%40127.0.0.1")},
        {"PostgreSQL: address", POSTGRES("postgres:///shop?hostaddr=<encoded>")},
        {"PostgreSQL: service", POSTGRES("postgres:///shop?service=<encoded>")},
        {"PostgreSQL: keywords, quoted",
         POSTGRES("host=127.0.0.1 port=1 user=ann password=<quoted> dbname=shop")},
        {"PostgreSQL: keywords, spaced",
         POSTGRES("host=127.0.0.1 port=1 user=ann password = <quoted>")},
        {"PostgreSQL: keywords, bare", POSTGRES("host=127.0.0.1 port=1 password=<json> user=u")},
        {"PostgreSQL: keywords, ill quoted",
         POSTGRES("host=127.0.0.1 port=1 password='<json>' user=u")},
        {"PostgreSQL: keywords without end", POSTGRES("host=127.0.0.1 port=1 password='<json>")},
        {"PostgreSQL: keyword sslmode", POSTGRES("host=127.0.0.1 port=1 sslmode=<quoted>")},
        {"PostgreSQL: keyword hostaddr", POSTGRES("port=1 hostaddr=<quoted>")},
        {"PostgreSQL: key as a file",
         POSTGRES("host=127.0.0.1 port=1 sslmode=require sslcert=/nowhere sslkey=<quoted>")},
        {"PostgreSQL: URL as a database",
         POSTGRES("host=127.0.0.1 port=1 dbname=postgres://ann:<encoded>@127.0.0.1/shop")},
        {"PostgreSQL: user and password", POSTGRES("host=127.0.0.1 port=1 user=ann:<encoded>")},
        {"PostgreSQL: reference",
         POSTGRES("postgres://ann:${env:LOCKBOARD_TEST_SECRET}@127.0.0.1:1/shop")},
        {"PostgreSQL: reference that is the URL", POSTGRES("${file:secret}")},
        {"PostgreSQL: reference as a keyword",
         POSTGRES("host=127.0.0.1 port=1 password=${env:LOCKBOARD_TEST_SECRET}")},
        {"PostgreSQL: URL as a schema",
         PROVIDER("postgres", R"("databaseUrl": "postgres://127.0.0.1:1", "schema":
"postgres://:<encoded>@h")")},
        {"PostgreSQL: URL in an object",
         PROVIDER("postgres", R"("databaseUrl": {"url": "postgres://a:<json>@127.0.0.1:1"})")},
        {"URL as a provider", PROVIDER("redis://:<json>@127.0.0.1:1", "")},
        {"URL as an id",
         R"({"providers": [{"resolve": "redis", "id": "redis://:<json>@127.0.0.1:1",
"options": {"redisUrl": "redis://127.0.0.1:1"}}]})"},
        {"URL as an option", REDIS(R"("redis://:<json>@127.0.0.1:1": true)")},
        {"broken: password without quotes", REDIS_OPTIONS(R"("password": <raw>)")},
        {"broken: not escaped", REDIS_OPTIONS(R"("password": "<raw>")")},
        {"broken: without end", REDIS_OPTIONS(R"("password": "<json>)")},
        {"broken: no comma", REDIS_OPTIONS(R"("password": "<json>" "<json>")")},
        {"broken: escape of none", REDIS_OPTIONS(R"("password": "\q<json>")")},
        {"broken: twice", REDIS(R"("redis://:<json>@h": 1, "redis://:<json>@h": 1)")},
        {"broken: number", REDIS_OPTIONS(R"("password": 1<raw>)")},
        {"broken: too much", REDIS_OPTIONS(R"("password": "<json>")") "<raw>"},
        {"broken: URL alone", "redis://:<raw>@127.0.0.1:1"},
    };
    return all;
}

const QList<SecretPlace>& secretUrls()
{
    static const QList<SecretPlace> all{
        {"redis://", "redis://ann:<raw>@127.0.0.1:1/0"},
        {"rediss://", "rediss://:<raw>@127.0.0.1:1"},
        {"redis://, encoded", "redis://ann:<encoded>@127.0.0.1:1/0"},
        {"redis://, user only", "redis://<raw>@127.0.0.1:1/0"},
        {"redis://, parameter", "redis://127.0.0.1:1/0?password=<raw>"},
        {"unix://", "unix://:<raw>@/nowhere/x.sock"},
        {"path", "/nowhere/x.sock?password=<raw>"},
        {"postgres://", "postgres://ann:<raw>@127.0.0.1:1/shop"},
        {"postgresql://, encoded", "postgresql://ann:<encoded>@127.0.0.1:1/shop"},
        {"postgres://, parameter", "postgres://127.0.0.1:1/shop?password=<raw>"},
        {"postgres://, passphrase", "postgres://127.0.0.1:1/shop?sslpassword=<encoded>"},
        {"another scheme", "amqp://ann:<raw>@127.0.0.1"},
        {"no scheme", "ann:<raw>@127.0.0.1:1"},
        {"keywords", "host=127.0.0.1 port=1 password=<quoted>"},
    };
    return all;
}

static QByteArray escaped(const QByteArray& text, std::string_view special)
{
    QByteArray out;
    for (const char letter : text) {
        if (special.find(letter) != special.npos)
            out += '\\';
        out += letter;
    }
    return out;
}

QByteArray filledIn(const SecretPlace& place, const QByteArray& password)
{
    const QByteArray text = place.text;
    const bool isJson = text.startsWith('{');
    const QByteArray quoted = '\'' + escaped(password, "'\\") + '\'';
    const std::pair<QByteArray, QByteArray> marks[] = {
        {"<raw>", password},
        {"<json>", escaped(password, "\"\\")},
        {"<encoded>", password.toPercentEncoding()},
        {"<quoted>", isJson ? escaped(quoted, "\"\\") : quoted},
    };
    QByteArray out;
    for (qsizetype at = 0; at < text.size();) {
        bool found = false;
        for (const auto& [mark, value] : marks) {
            if (found || !QByteArrayView(text).sliced(at).startsWith(mark))
                continue;
            out += value;
            at += mark.size();
            found = true;
        }
        if (!found)
            out += text[at++];
    }
    return out;
}

QByteArray Passwords::next()
{
    static constexpr std::string_view special = "@:/?#%&=[]'\"\\ ,;{}$!@";
    std::uniform_int_distribution<> any(0x20, 0x7e);
    std::uniform_int_distribution<std::size_t> meaningful(0, special.size() - 1);
    std::uniform_int_distribution<> length(5, 24);
    std::uniform_int_distribution<> rarity(2, 8);
    const int oneIn = rarity(m_random);
    QByteArray password;
    for (int left = length(m_random); left > 0; --left) {
        const bool isSpecial = std::uniform_int_distribution<>(1, oneIn)(m_random) == 1;
        password += isSpecial ? special[meaningful(m_random)] : static_cast<char>(any(m_random));
    }
    return password;
}

QByteArrayList Passwords::plain()
{
    // Between words that are in no sentence stands what may be said in one.
    return {"qZxJ7",        "qZxJ7@wKvY8", "qZxJ7/wKvY8", "qZxJ7?wKvY8", "qZxJ7#wKvY8",
            "qZxJ7%wKvY8",  "qZxJ7:wKvY8", "qZxJ7 wKvY8", "qZxJ7'wKvY8", "qZxJ7\"wKvY8",
            "qZxJ7\\wKvY8", "@/?#%wKvY8",  "qZxJ7&wKvY8", "12345678",    ""};
}

void LeakDetector::learn(const QByteArray& said)
{
    for (qsizetype at = 0; at + part <= said.size(); ++at)
        m_fixed.insert(said.mid(at, part));
}

QByteArray LeakDetector::leakIn(const QByteArray& said, const QByteArray& password) const
{
    for (qsizetype at = 0; at + part <= password.size(); ++at) {
        const QByteArray found = password.mid(at, part);
        if (said.contains(found) && !m_fixed.contains(found))
            return found;
    }
    return {};
}

} // namespace lockboard::test
