// SPDX-License-Identifier: MIT
#include "tests/hostile/ways.h"

namespace lockboard::test {

using Script = HostileServer::Script;
using Then = Answer::Then;

//! What a terminal or a window would obey: colours and a title, C1 controls, text turned around,
//! lines that look like others.
static const QByteArray evil = "\x1b[2J\x1b]0;pwned\x07\xc2\x9b"
                               "31m\xe2\x80\xaegnp\r\nroot: \x7f<b>";
static const char* const evilWord = "\x1b[31m\xc2\x9bx\xe2\x80\xaey";

static QByteArray text(const QByteArray& bytes)
{
    return HostileServer::text(bytes);
}

static QByteArray array(const QByteArrayList& replies)
{
    return HostileServer::array(replies);
}

//! These commands are answered so, whatever they ask.
static Script always(const QByteArrayList& commands, const Answer& answer)
{
    Script script;
    for (const QByteArray& command : commands)
        script[command] = [answer](const QByteArrayList&) { return answer; };
    return script;
}

//! Every script is answered so.
static Script scripts(const QByteArray& reply)
{
    return always({"EVAL", "EVALSHA"}, Answer(reply));
}

//! ... and the lock looks free, but SET is not answered with a grant.
static Script taking(const QByteArray& reply)
{
    Script script = scripts(reply);
    script.merge(always({"GET", "SET"}, "$-1\r\n"));
    return script;
}

static Stream endlessly(const QByteArray& piece)
{
    return [piece] { return piece; };
}

static Stream lasting(qint64 size, const QByteArray& end = "\r\n")
{
    return [left = size, end, ended = false]() mutable {
        const QByteArray piece(std::min<qint64>(left, 1 << 18), 'x');
        left -= piece.size();
        if (!piece.isEmpty() || std::exchange(ended, true))
            return piece;
        return end;
    };
}

static QByteArray slotsOf(int nodes, const QByteArray& host)
{
    QByteArrayList ranges;
    for (int i = 0; i < nodes; ++i) {
        const QByteArray slot = ':' + QByteArray::number(i % 16384) + "\r\n";
        const QByteArray port = ':' + QByteArray::number(1 + i % 65535) + "\r\n";
        const QByteArray name = host + (nodes > 65535 ? QByteArray::number(i / 65535) : "");
        ranges.append(array({slot, slot, array({text(name), port, text("id")})}));
    }
    return array(ranges);
}

static QByteArray manyKeys(int from, int count)
{
    QByteArrayList keys;
    for (int i = from; i < from + count; ++i)
        keys.append(text("medusa_lock:" + QByteArray::number(i)));
    return array(keys);
}

static Script scanning(const std::function<QByteArray(int page)>& pageOf, bool claimsMany = false)
{
    Script script;
    const auto page = std::make_shared<std::atomic<int>>(0);
    script["SCAN"] = [pageOf, page](const QByteArrayList&) { return Answer(pageOf((*page)++)); };
    script["DBSIZE"] = [claimsMany](const QByteArrayList&) {
        return Answer(claimsMany ? ":9000000000000000000\r\n" : ":1\r\n");
    };
    return script;
}

static void addGrants(std::vector<Way>& ways)
{
    ways.push_back({"SET: an integer", always({"SET"}, ":1\r\n")});
    ways.push_back({"SET: another status", always({"SET"}, "+QUEUED\r\n")});
    ways.push_back({"SET: a string OK", always({"SET"}, "$2\r\nOK\r\n")});
    ways.push_back({"SET: hello", always({"SET"}, "$5\r\nhello\r\n")});
    ways.push_back({"SET: an empty array", always({"SET"}, "*0\r\n")});
    ways.push_back({"SET: an array of OK", always({"SET"}, "*1\r\n+OK\r\n")});
    ways.push_back({"script: nil", taking("$-1\r\n")});
    ways.push_back({"script: an empty array", taking("*0\r\n")});
    ways.push_back({"script: hello", taking("$5\r\nhello\r\n")});
    ways.push_back({"script: the status granted", taking("+granted\r\n")});
    ways.push_back({"script: an integer", taking(":0\r\n")});
    ways.push_back({"script: large", taking(":9223372036854775807\r\n")});
    ways.push_back({"script: granted alone", taking(array({text("granted")}))});
    ways.push_back(
        {"script: granted in other words",
         taking(array({text("GRANTED"), "$-1\r\n", array({":0\r\n", ":-1\r\n"}), "*0\r\n"}))});
    ways.push_back(
        {"script: granted of three keys",
         taking(array({text("granted"), "$-1\r\n",
                       array({":0\r\n", ":-1\r\n", ":0\r\n", ":-1\r\n", ":0\r\n", ":-1\r\n"}),
                       "*0\r\n"}))});
    ways.push_back(
        {"script: granted, and strings for numbers",
         taking(array({text("granted"), "$-1\r\n", array({text("0"), text("-1")}), "*0\r\n"}))});
    for (const char* const index : {"0", "2", "-1", "-9223372036854775808", "999999999"}) {
        const QByteArray number = ':' + QByteArray(index) + "\r\n";
        ways.push_back({"script: held, and an index that is none",
                        taking(array({text("held"), number, text("alice"), ":-1\r\n"}))});
        ways.push_back({"script: a type, and an index that is none",
                        taking(array({text("type"), number, text("hash")}))});
    }
    ways.push_back({"script: done, too short", taking(array({text("done")}))});
    ways.push_back({"script: done, and a strange number", taking(array({text("done"), ":9\r\n"}))});
    ways.push_back({"script: letters, too many", taking(text(QByteArray(100'000, 'r')))});
    ways.push_back({"script: an evil type", taking(array({text("type"), ":1\r\n", text(evil)}))});
    ways.push_back(
        {"script: an evil holder", taking(array({text("held"), ":1\r\n", text(evil), ":-5\r\n"}))});
    ways.push_back(
        {"script: a huge holder",
         taking(array({text("held"), ":1\r\n", text(QByteArray(3'000'000, 'x')), ":-1\r\n"}))});
}

static void addProtocol(std::vector<Way>& ways)
{
    ways.push_back({"another protocol", always({"*"}, "HTTP/1.1 400 Bad Request\r\n\r\n")});
    ways.push_back({"speaks first", always({""}, "220 mail ESMTP\r\n")});
    ways.push_back(
        {"answers twice", always({"SCAN", "SET", "EVALSHA", "INFO"}, "+OK\r\n+OK\r\n+OK\r\n")});
    ways.push_back({"a kind that is none", always({"*"}, "?5\r\n")});
    ways.push_back({"nothing but line ends", always({"*"}, "\r\n\r\n\r\n")});
    ways.push_back({"a length below nothing", always({"*"}, "$-7\r\n")});
    ways.push_back({"a length that is no number", always({"*"}, "$12abc\r\nhello\r\n")});
    ways.push_back({"a length beyond 64 bits", always({"*"}, "*99999999999999999999999\r\n")});
    ways.push_back(
        {"a string without its end", always({"SCAN", "GET", "SET", "INFO"}, "$2\r\nOKxx+OK\r\n")});
    ways.push_back({"always OK", always({"*"}, "+OK\r\n")});
    ways.push_back({"always 1", always({"*"}, ":1\r\n")});
    ways.push_back({"always nil", always({"*"}, "$-1\r\n")});
    ways.push_back({"always an empty array", always({"*"}, "*0\r\n")});
    ways.push_back({"always an evil string", always({"*"}, Answer(text(evil)))});
    ways.push_back(
        {"always an evil error", always({"*"}, "-ERR \x1b[31m\xc2\x9bx\xe2\x80\xaey\r\n")});
    ways.push_back({"an evil error",
                    always({"SCAN", "SET", "EVAL", "EVALSHA", "INFO", "GET"},
                           Answer(QByteArray("-ERR ") + evilWord + "\r\n"))});
    ways.push_back({"an evil NOPERM",
                    always({"SCAN", "SET", "EVAL", "EVALSHA", "INFO", "GET"},
                           Answer(QByteArray("-NOPERM ") + evilWord + "\r\n"))});
    ways.push_back({"arrays in arrays in arrays",
                    always({"SCAN", "SET", "EVALSHA", "INFO"},
                           Answer(QByteArray("*1\r\n").repeated(100'000)))});
    ways.push_back({"closes at once", always({""}, Answer(QByteArray(), Then::Closes))});
    ways.push_back({"closes in the midst",
                    always({"SCAN", "SET", "EVALSHA", "INFO", "GET"},
                           Answer("*2\r\n$1\r\n0\r\n*5\r\n$3", Then::Closes))});
    ways.push_back({"never answers", always({"*"}, Answer())});
    ways.push_back(
        {"never answers what matters", always({"SCAN", "SET", "EVALSHA", "GET"}, Answer())});
    ways.push_back({"does not come to an end",
                    always({"SCAN", "SET", "EVALSHA", "GET", "INFO"}, "$100\r\nhello")});
    ways.push_back(
        {"an INFO full of evil",
         always({"INFO"},
                Answer(text("# Server\r\nredis_version:" + evil + "\r\nredis_mode:" + evilWord
                            + "\r\nmaxmemory_policy:" + evilWord + "\r\n")))});
    ways.push_back({"an INFO that is a number", always({"INFO"}, ":7\r\n")});
}

static void addSizes(std::vector<Way>& ways)
{
    const QByteArrayList all = {"SCAN", "SET", "EVALSHA", "GET", "INFO"};
    ways.push_back(
        {"a string of 2 GB",
         always(all,
                Answer("$2147483648\r\n", Then::Streams, endlessly(QByteArray(1 << 18, 'x'))))});
    ways.push_back(
        {"a string of 500 MB",
         always({"SCAN", "SET", "EVALSHA", "INFO"},
                Answer("$524288000\r\n", Then::Streams, endlessly(QByteArray(1 << 18, 'x'))))});
    ways.push_back({"an owner of 60 MB",
                    always({"GET"}, Answer("$60000000\r\n", Then::Streams, lasting(60'000'000)))});
    ways.push_back({"an array of two billion", always(all, "*2147483647\r\n")});
    ways.push_back({"an array of a hundred million", always(all, "*100000000\r\n:1\r\n")});
    ways.push_back({"an array of ten million nils",
                    always(all,
                           Answer("*10000000\r\n", Then::Streams,
                                  endlessly(QByteArray("$-1\r\n").repeated(50'000))))});
    ways.push_back(
        {"an error of 10 MB", always(all, Answer("-ERR ", Then::Streams, lasting(10'000'000)))});
    ways.push_back(
        {"an error without an end",
         always(all, Answer("-ERR ", Then::Streams, endlessly(QByteArray(1 << 18, 'x'))))});
    ways.push_back({"replies without an end",
                    always({"SCAN", "SET", "EVALSHA"},
                           Answer(QByteArray(), Then::Streams,
                                  endlessly(QByteArray("+message\r\n").repeated(10'000))))});
    ways.push_back({"types of 1 MB", [] {
                        Script script =
                            always({"TYPE"}, Answer('+' + QByteArray(1'000'000, 'x') + "\r\n"));
                        script.merge(always({"GET"}, "-WRONGTYPE Operation against a key\r\n"));
                        return script;
                    }()});
    ways.push_back({"an evil type", [] {
                        Script script =
                            always({"TYPE"}, Answer(QByteArray("+") + evilWord + "\r\n"));
                        script.merge(always({"GET"}, "-WRONGTYPE Operation against a key\r\n"));
                        return script;
                    }()});
    ways.push_back({"an evil owner", always({"GET"}, Answer(text(evil)))});
    ways.push_back({"an owner that is an array", always({"GET"}, "*1\r\n:1\r\n")});
    ways.push_back({"a lease that is a string", always({"PTTL"}, "$3\r\n100\r\n")});
    ways.push_back({"a lease below nothing", always({"PTTL"}, ":-77\r\n")});
    ways.push_back({"a lease of ages", always({"PTTL"}, ":9223372036854775807\r\n")});
}

static void addScans(std::vector<Way>& ways)
{
    const auto page = [](const QByteArray& cursor, const QByteArray& keys) {
        return array({text(cursor), keys});
    };
    const auto scan = [&ways](const char* name, const QByteArray& reply) {
        ways.push_back({name, scanning([reply](int) { return reply; })});
    };
    scan("SCAN: a key shorter than the namespace", page("0", array({text("m")})));
    scan("SCAN: an empty key", page("0", array({text("")})));
    scan("SCAN: a key of others", page("0", array({text("session:12345678901234567890")})));
    scan("SCAN: an evil key", page("0", array({text("medusa_lock:" + evil)})));
    scan("SCAN: an evil key of others", page("0", array({text(evil + evil)})));
    scan("SCAN: numbers for keys", page("0", array({":1\r\n", ":2\r\n"})));
    scan("SCAN: nils for keys", page("0", array({"$-1\r\n"})));
    scan("SCAN: no keys but a string", page("0", text("medusa_lock:a")));
    scan("SCAN: a number for the cursor", array({":0\r\n", array({})}));
    scan("SCAN: a cursor of letters", page("abc", array({})));
    scan("SCAN: a cursor of 1 MB", page(QByteArray(1'000'000, '1'), array({})));
    scan("SCAN: an array of one", array({text("0")}));
    scan("SCAN: an integer", ":0\r\n");
    scan("SCAN: nil", "$-1\r\n");
    scan("SCAN: one cursor for ever", page("7", array({text("medusa_lock:a")})));
    ways.push_back({"SCAN: a page of 200,000 keys",
                    scanning([page](int) { return page("0", manyKeys(0, 200'000)); })});
    scan("SCAN: a key of 3 MB",
         page("0",
              array(
                  {text("medusa_lock:" + QByteArray(3'000'000, 'k')), text("medusa_lock:short")})));
    ways.push_back({"SCAN: in circles", scanning([page](int n) {
                        return page(QByteArray::number(1 + n % 3), array({}));
                    })});
    ways.push_back({"SCAN: without an end", scanning([page](int n) {
                        return page(QByteArray::number(n + 1), array({}));
                    })});
    ways.push_back({"SCAN: without an end, of keys", scanning([page](int n) {
                        return page(QByteArray::number(n + 1), manyKeys(n * 1000, 1000));
                    })});
    ways.push_back({"DBSIZE: a string", always({"DBSIZE"}, "$1\r\n1\r\n")});
}

static void addClusters(std::vector<Way>& ways)
{
    const auto maps = [&ways](const char* name, const QByteArray& reply) {
        ways.push_back({name, always({"CLUSTER"}, Answer(reply))});
    };
    maps("SLOTS: an integer", ":1\r\n");
    maps("SLOTS: strings", array({text("a"), text("b")}));
    for (const int nodes : {5000, 200'000}) {
        Script script;
        script["CLUSTER"] = [nodes](const QByteArrayList&) {
            return Answer(slotsOf(nodes, "127.0.0.1"));
        };
        ways.push_back({nodes == 5000 ? "SLOTS: 5,000 nodes" : "SLOTS: 200,000 of as many nodes",
                        std::move(script)});
    }
    maps("SLOTS: an evil host",
         array({array({":0\r\n", ":16383\r\n", array({text(evil), ":7000\r\n", text("id")})})}));
    maps("SLOTS: a host of 1 MB",
         array({array({":0\r\n", ":16383\r\n",
                       array({text(QByteArray(1'000'000, 'h')), ":7000\r\n", text("id")})})}));
    maps("SLOTS: beyond the slots",
         array({array({":0\r\n", ":999999999\r\n", array({text("127.0.0.1"), ":%port\r\n"})})}));
    const auto moves = [&ways](const char* name, const QByteArray& error) {
        ways.push_back({name, always({"SET", "GET", "EVALSHA", "EVAL"}, Answer(error))});
    };
    moves("MOVED to an evil host", QByteArray("-MOVED 1 ") + evilWord + ":7000\r\n");
    moves("ASK at an evil host", QByteArray("-ASK 1 ") + evilWord + ":7000\r\n");
    moves("MOVED without an address", "-MOVED 1\r\n");
    moves("MOVED to a slot that is none", "-MOVED 99999 127.0.0.1:%port\r\n");
    moves("MOVED to itself for ever", "-MOVED 1 127.0.0.1:%port\r\n");
    moves("ASK at itself for ever", "-ASK 1 127.0.0.1:%port\r\n");
    moves("TRYAGAIN for ever", "-TRYAGAIN later\r\n");
    moves("NOSCRIPT for ever", "-NOSCRIPT none\r\n");
}

static std::vector<Way> allWays()
{
    std::vector<Way> ways;
    addGrants(ways);
    addProtocol(ways);
    addSizes(ways);
    addScans(ways);
    addClusters(ways);
    return ways;
}

const std::vector<Way>& hostileWays()
{
    static const std::vector<Way> ways = allWays();
    return ways;
}

} // namespace lockboard::test
