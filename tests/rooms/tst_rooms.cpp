// SPDX-License-Identifier: MIT
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

using namespace Qt::StringLiterals;

//! Folders are rooms on floors (engine/README.md): what stands in one includes what is in it, or on
//! a floor below. Rooms on one floor do not know each other.
class TestRooms final : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void nothingLooksUp();
    void everyFolderHasAFloor();
    void findsWhoLooksUp_data();
    void findsWhoLooksUp();
};

//! From the ground up. A larger provider has floors of its own, which are listed below it.
static const QList<QStringList> floors{
    {u"engine/async"_s},
    {u"engine/contract"_s},
    {u"engine/store"_s, u"engine/config"_s},
    {u"engine/memory"_s, u"engine/redis/wire"_s, u"engine/postgres/wire"_s},
    {u"engine/redis/topology"_s, u"engine/postgres/session"_s},
    // These three make one provider, its views and its administration: they know each other.
    {u"engine/redis/locks"_s, u"engine/redis/view"_s, u"engine/postgres/locks"_s,
     u"engine/postgres/view"_s, u"engine/postgres/administration"_s},
    {u"engine/redis"_s, u"engine/postgres"_s}, // the kind of provider, for the list of them
    {u"engine/module"_s},
    {u"engine/lab"_s},
    {u"ui"_s},
    {u"app"_s},
};

//! The room that a file stands in: the longest of the folders above that it lies under.
static QString roomOf(const QString& file)
{
    QString found;
    for (const QStringList& rooms : floors) {
        for (const QString& room : rooms) {
            if (file.startsWith(room + u'/') && room.size() > found.size())
                found = room;
        }
    }
    return found;
}

static qsizetype floorOf(const QString& room)
{
    const auto at = std::find_if(floors.begin(), floors.end(),
                                 [&](const QStringList& rooms) { return rooms.contains(room); });
    return at - floors.begin();
}

//! `engine/redis` of `engine/redis/wire`: the whole that a room is a part of.
static QString wholeOf(const QString& room)
{
    return room.section(u'/', 0, 1);
}

static bool mayInclude(const QString& from, const QString& to)
{
    if (from == to)
        return true;
    const bool isOneProvider = wholeOf(from) == wholeOf(to);
    if (floorOf(from) == floorOf(to))
        return isOneProvider;
    const bool isProvider =
        floorOf(to) >= floorOf(u"engine/memory"_s) && floorOf(to) < floorOf(u"engine/module"_s);
    if (isProvider && !isOneProvider && floorOf(from) < floorOf(u"engine/module"_s))
        return false; // a provider never knows another one
    return floorOf(to) < floorOf(from);
}

//! What a file includes that it may not: a sentence each.
static QStringList faultsOf(const QString& file, const QString& text)
{
    static const QRegularExpression include(uR"re(^#include "((?:engine|ui|app)/[^"]+)")re"_s,
                                            QRegularExpression::MultilineOption);
    QStringList faults;
    for (const auto& match : include.globalMatch(text)) {
        const QString other = match.captured(1);
        if (!mayInclude(roomOf(file), roomOf(other)))
            faults << u"%1 includes %2, which is no room below it."_s.arg(file, other);
    }
    return faults;
}

static QStringList sources()
{
    QStringList found;
    for (const QString& folder : {u"engine"_s, u"ui"_s, u"app"_s}) {
        QDirIterator files(QStringLiteral(SOURCES "/") + folder, {u"*.h"_s, u"*.cpp"_s, u"*.in"_s},
                           QDir::Files, QDirIterator::Subdirectories);
        while (files.hasNext())
            found << files.next().mid(QStringLiteral(SOURCES "/").size());
    }
    return found;
}

void TestRooms::nothingLooksUp()
{
    QStringList faults;
    const QStringList files = sources();
    QVERIFY(files.size() > 200);
    for (const QString& name : files) {
        QFile file(QStringLiteral(SOURCES "/") + name);
        QVERIFY(file.open(QFile::ReadOnly));
        faults << faultsOf(name, QString::fromUtf8(file.readAll()));
    }
    QCOMPARE(faults.join(u'\n'), QString());
}

void TestRooms::everyFolderHasAFloor()
{
    for (const QString& file : sources())
        QVERIFY2(!roomOf(file).isEmpty(), qPrintable(file));
}

void TestRooms::findsWhoLooksUp_data()
{
    QTest::addColumn<QString>("file");
    QTest::addColumn<QString>("includes");
    QTest::addColumn<bool>("allowed");
    const auto row = [](const char* file, const char* includes, bool allowed) {
        QTest::newRow(qPrintable(QLatin1String(file) + u" -> "_s + QLatin1String(includes)))
            << QString::fromLatin1(file) << QString::fromLatin1(includes) << allowed;
    };
    row("engine/async/clock.h", "engine/contract/lock.h", false);
    row("engine/contract/lock.h", "engine/async/clock.h", true);
    row("engine/store/settle.cpp", "engine/config/value.h", false);
    row("engine/config/kinds.cpp", "engine/redis/kind.h", false);
    row("engine/memory/provider.cpp", "engine/redis/wire/reply.h", false);
    row("engine/redis/locks/provider.h", "engine/postgres/wire/call.h", false);
    row("engine/redis/wire/reply.h", "engine/redis/topology/client.h", false);
    row("engine/redis/topology/client.h", "engine/redis/locks/provider.h", false);
    row("engine/redis/locks/provider.h", "engine/redis/wire/reply.h", true);
    row("engine/postgres/kind.cpp", "engine/postgres/locks/provider.h", true);
    row("engine/module/locking_module.cpp", "ui/theme/theme.h", false);
    row("engine/module/built_in_kinds.cpp.in", "engine/memory/kind.h", true);
    row("ui/theme/theme.cpp", "app/lockboard/screenshot.h", false);
    row("app/lockboard/main.cpp", "ui/theme/theme.h", true);
}

void TestRooms::findsWhoLooksUp()
{
    QFETCH(QString, file);
    QFETCH(QString, includes);
    QFETCH(bool, allowed);
    const QString text = u"#pragma once\n\n#include \"%1\"\n"_s.arg(includes);
    QCOMPARE(faultsOf(file, text).isEmpty(), allowed);
}

QTEST_GUILESS_MAIN(TestRooms)
#include "tst_rooms.moc"
