// SPDX-License-Identifier: MIT
#include "tests/postgres/postgres_fixture.h"
#include "tests/support/watcher.h"

#include <QDeadlineTimer>
#include <QTcpServer>
#include <QTcpSocket>
#include <QtEndian>

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

namespace lockboard::test {

namespace {

QByteArray number32(qint32 number)
{
    QByteArray bytes(4, '\0');
    qToBigEndian(number, bytes.data());
    return bytes;
}

QByteArray number16(qint16 number)
{
    QByteArray bytes(2, '\0');
    qToBigEndian(number, bytes.data());
    return bytes;
}

//! One message of PostgreSQL's protocol.
QByteArray message(char type, const QByteArray& body = {})
{
    return type + number32(static_cast<qint32>(body.size() + 4)) + body;
}

//! Rows of text; a null QByteArray is NULL.
QByteArray rows(const QList<QList<QByteArray>>& all, qsizetype columns)
{
    QByteArray head = number16(static_cast<qint16>(columns));
    for (qsizetype i = 0; i < columns; ++i)
        head += QByteArray("c\0", 2) + number32(0) + number16(0) + number32(25) + number16(-1)
            + number32(-1) + number16(0);
    QByteArray bytes = message('T', head);
    for (const QList<QByteArray>& row : all) {
        QByteArray body = number16(static_cast<qint16>(row.size()));
        for (const QByteArray& value : row)
            body += number32(value.isNull() ? -1 : static_cast<qint32>(value.size())) + value;
        bytes += message('D', body);
    }
    return bytes + message('C', QByteArray("SELECT 1\0", 9));
}

QByteArray error(const QByteArray& state, const QByteArray& text)
{
    return message('E',
                   "SERROR" + QByteArray(1, '\0') + "VERROR" + QByteArray(1, '\0') + 'C' + state
                       + QByteArray(1, '\0') + 'M' + text + QByteArray(2, '\0'));
}

//! Speaks enough of the protocol to let Lockboard in; what it answers after that a test says.
class FakePostgres final : public QObject {
public:
    static constexpr const char* hangUp = "hang up"; //!< in the place of an answer

    explicit FakePostgres(QByteArray answer)
        : m_answer(std::move(answer))
    {
        if (!m_server.listen(QHostAddress::LocalHost))
            throw std::runtime_error("no port is free");
        connect(&m_server, &QTcpServer::newConnection, this, [this] {
            while (QTcpSocket* const socket = m_server.nextPendingConnection()) {
                ++m_connections;
                connect(socket, &QTcpSocket::readyRead, this, [this, socket] { read(socket); });
            }
        });
    }
    [[nodiscard]] QString url() const
    {
        return u"postgres://me@127.0.0.1:%1/shop?sslmode=disable"_s.arg(m_server.serverPort());
    }
    //! How many there were.
    [[nodiscard]] int connections() const { return m_connections; }

private:
    void read(QTcpSocket* socket)
    {
        QByteArray& all = m_read[socket];
        all += socket->readAll();
        for (;;) {
            const bool isStart = !m_let.contains(socket);
            const qsizetype head = isStart ? 0 : 1;
            if (all.size() < head + 4)
                return;
            const qsizetype size = qFromBigEndian<qint32>(all.constData() + head) + head;
            if (all.size() < size)
                return;
            const QByteArray one = all.left(size);
            all.remove(0, size);
            if (isStart) {
                m_let += socket;
                socket->write(message('R', number32(0)) + message('K', number32(4711) + number32(1))
                              + message('Z', "I"));
            } else {
                answer(socket, one);
            }
        }
    }
    void answer(QTcpSocket* socket, const QByteArray& one)
    {
        switch (one.front()) {
        case 'P':
            m_asked[socket] = one;
            socket->write(message('1'));
            break;
        case 'B':
            socket->write(message('2'));
            break;
        case 'E':
            if (m_asked[socket].contains("SELECT pg_catalog.pg_backend_pid()"))
                socket->write(rows({{"4711"}}, 1));
            else if (m_asked[socket].contains("default_transaction_isolation"))
                socket->write(rows({{"", "", "", ""}}, 4));
            else if (m_answer == hangUp)
                socket->abort();
            else
                socket->write(m_answer);
            break;
        case 'S':
            socket->write(message('Z', "I"));
            break;
        default:
            break;
        }
    }

    QTcpServer m_server;
    QByteArray m_answer;
    QHash<QTcpSocket*, QByteArray> m_read;
    QHash<QTcpSocket*, QByteArray> m_asked;
    QSet<QTcpSocket*> m_let;
    int m_connections = 0;
};

} // namespace

//! A server that answers with whatever it likes.
class PostgresHostileServerTest final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void isNeverBelieved_data();
    void isNeverBelieved();
    void isNotDialledWithoutPause();
};

void PostgresHostileServerTest::isNeverBelieved_data()
{
    QTest::addColumn<QByteArray>("answer");
    const auto row = [](const char* name, const QByteArray& answer) {
        QTest::addRow("%s", name) << answer;
    };
    const QByteArray null;
    row("nothing", message('I'));
    row("no rows", rows({}, 1));
    row("done", message('C', QByteArray("SELECT 1\0", 9)));
    row("a row without columns", rows({{}}, 0));
    row("hello", rows({{"hello"}}, 1));
    row("NULL", rows({{null}}, 1));
    row("a negative number", rows({{"-1"}}, 1));
    row("a number too big", rows({{"99999999999999999999"}}, 1));
    row("a number and more", rows({{"1 "}}, 1));
    row("two rows", rows({{"1"}, {"2"}}, 1));
    row("two columns", rows({{"1", "2"}}, 2));
    row("many columns", rows({QList<QByteArray>(12, "1")}, 12));
    row("letters in all columns", rows({QList<QByteArray>(11, "x")}, 11));
    row("NULL in all columns", rows({QList<QByteArray>(11, null)}, 11));
    row("an endless lease",
        rows({{"1", "1", "9223372036854775807", "f", null, null, null, null}}, 8));
    row("a row short of columns",
        message('T', number16(0)) + message('D', number16(3) + QByteArray(12, '\xff')));
    row("escapes in an error", error("XX000", "\x1b]0;title\x07\x1b[2J\xc2\x9b\xe2\x80\xae"));
    row("escapes in a state", error("\x1b[2J\x1b", "no"));
    row("a long error", error("XX000", QByteArray(10'000'000, 'x')));
    row("an error without anything", message('E', QByteArray(1, '\0')));
    row("an endless row", "D" + number32(1'000'000'000) + QByteArray(200'000'000, 'x'));
    row("an unknown message", message('?', "what?"));
    row("a wrong length", QByteArray("T\0\0\0\1", 5));
    row("no protocol", "HTTP/1.1 400 Bad Request\r\n\r\n");
    row("copying in", message('G', QByteArray(3, '\0')));
    row("copying out",
        message('H', QByteArray(3, '\0')) + message('d', "garbage\n") + message('c')
            + message('C', QByteArray("COPY 1\0", 7)));
    row("rows of something else",
        message('H', QByteArray(3, '\0')) + message('d', "a\tb\tnever\n")
            + message('d', "\t\t\t\t\n") + message('c') + message('C', QByteArray("COPY 2\0", 7)));
    row("notices", message('N', QByteArray("SWARNING\0M\x1b[2J\0\0", 17)).repeated(1000));
    row("a notification",
        message('A', number32(1) + QByteArray("lockboard:public.locking\0fk\0", 28)).repeated(100));
}

void PostgresHostileServerTest::isNeverBelieved()
{
    QFETCH(const QByteArray, answer);
    const FakePostgres server(answer);
    const PostgresModule locks(server.url(),
                               u", \"statementTimeout\": 100, \"connectTimeout\": 1000"_s);
    Watcher watcher(locks);
    // Each call ends with an error, in words that can be printed.
    const auto refused = [](auto task, const char* verb) {
        try {
            await(std::move(task), 15s);
        } catch (const LockError& error) {
            QVERIFY2(error.message() == printable(error.message()), error.what());
            QVERIFY2(error.message().size() < 2000, verb);
            return;
        }
        QFAIL(qPrintable(QString::fromUtf8(verb) + u" believed it"_s));
    };
    const auto mine = AcquireOptions().ownedBy("me").expiringIn(30s);
    refused(locks->acquire("k", mine), "acquire");
    refused(locks->acquire(LockKeys("k", "l"), mine), "acquire of two");
    bool ran = false;
    const auto job = [&ran] { ran = true; };
    refused(locks->execute("k", job, ExecuteOptions().timingOutAfter(1s)), "execute");
    QVERIFY(!ran);
    for (const LockKeys& keys : {LockKeys("k"), LockKeys("k", "l")}) {
        try {
            const ReleaseResult result =
                await(locks->release(keys, ReleaseOptions().ownedBy("me")), 15s);
            for (const std::string& key : keys)
                QVERIFY(result.of(key).outcome != ReleaseOutcome::Released);
        } catch (const LockError&) {
            // that is a refusal too
        }
    }
    try {
        QCOMPARE(await(locks->releaseAll(), 15s).released, 0U);
    } catch (const LockError&) {
        // the same
    }
    refused(locks->endSession(SeenSession(4712), SessionEnd::Terminate), "end-session");
    const CheckReport report = await(locks->check(), 15s);
    for (const Finding& finding : report.findings)
        QCOMPARE(finding.sentence, printable(finding.sentence));
    QVERIFY(watcher.locks.empty());
    QCOMPARE(watcher.state().why.toStdString(), printable(watcher.state().why.toStdString()));
}

//! It lets everybody in, and then hangs up on the first question.
void PostgresHostileServerTest::isNotDialledWithoutPause()
{
    const FakePostgres server(FakePostgres::hangUp);
    const PostgresModule locks(server.url());
    for (const QDeadlineTimer end(2000); !end.hasExpired();)
        QVERIFY(!await(locks->check(), 15s).reachable); // as often as it is asked
    QVERIFY2(server.connections() <= 15, qPrintable(QString::number(server.connections())));
}

} // namespace lockboard::test

QTEST_GUILESS_MAIN(lockboard::test::PostgresHostileServerTest)
#include "postgres_hostile_server_test.moc"
