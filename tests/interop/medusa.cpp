// SPDX-License-Identifier: MIT
#include "tests/interop/medusa.h"

#include <QJsonDocument>
#include <QTest>

#include <sys/prctl.h>

#include <csignal>
#include <stdexcept>

namespace lockboard::test {

using namespace Qt::StringLiterals;

Medusa::~Medusa()
{
    m_process.closeWriteChannel();
    if (!m_process.waitForFinished(5000))
        m_process.kill();
    m_process.waitForFinished();
}

bool Medusa::start()
{
    const QString node = qEnvironmentVariable("LOCKBOARD_NODE", u"node"_s);
    m_process.setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); });
    m_process.start(node, QStringList{QStringLiteral(LOCKBOARD_MEDUSA)} + m_arguments);
    while (m_process.state() != QProcess::NotRunning && !m_process.canReadLine())
        m_process.waitForReadyRead(60'000);
    if (m_process.readLine() == "{\"ready\":true}\n")
        return true;
    m_problem = u"Medusa's packages can't be run (tests/run installs them in tests/interop; ctest "
                "-LE interop goes without): "_s
        + node + u": "_s
        + (m_process.error() == QProcess::FailedToStart
               ? m_process.errorString()
               : QString::fromUtf8(m_process.readAllStandardError()));
    return false;
}

int Medusa::begin(const QString& name, QJsonObject call)
{
    call.insert(u"id"_s, ++m_lastId);
    call.insert(u"call"_s, name);
    m_process.write(QJsonDocument(call).toJson(QJsonDocument::Compact) + '\n');
    return m_lastId;
}

void Medusa::read()
{
    while (m_process.canReadLine()) {
        const QJsonObject line = QJsonDocument::fromJson(m_process.readLine()).object();
        const int id = line[u"id"].toInt();
        if (line.contains(u"event"))
            m_events.insert({id, line[u"event"].toString()});
        else
            m_answers.insert(id, line);
    }
}

bool Medusa::isDone(int id)
{
    read();
    return m_answers.contains(id);
}

bool Medusa::hasSaid(int id, const QString& event)
{
    read();
    return m_events.contains({id, event});
}

QJsonValue Medusa::finish(int id)
{
    if (!QTest::qWaitFor([&] { return isDone(id); }, 120'000))
        throw std::runtime_error("Medusa did not answer; it says: "
                                 + m_process.readAllStandardError().toStdString());
    const QJsonObject answer = m_answers.take(id);
    if (answer.contains(u"error"))
        throw std::runtime_error(answer[u"error"].toString().toStdString());
    return answer[u"result"];
}

QString Medusa::refusal(int id)
{
    try {
        finish(id);
        return {};
    } catch (const std::runtime_error& error) {
        return QString::fromUtf8(error.what());
    }
}

QJsonObject call(const QJsonArray& keys, const QString& owner, int leaseSeconds)
{
    QJsonObject options;
    if (!owner.isEmpty())
        options.insert(u"ownerId"_s, owner);
    if (leaseSeconds > 0)
        options.insert(u"expire"_s, leaseSeconds);
    return {{u"keys"_s, keys}, {u"options"_s, options}};
}

} // namespace lockboard::test
