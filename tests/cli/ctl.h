// SPDX-License-Identifier: MIT
#pragma once

#include <QByteArrayList>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>

#include <functional>
#include <memory>

namespace lockboard::test {

//! What one run of the program gave.
struct CtlRun {
    int code = -1;
    QByteArray out;
    QByteArray err;

    //! What it complained of, without the engine's log lines.
    [[nodiscard]] QByteArray complaint() const;
    //! Every line of the output as a JSON object; throws where one is none.
    [[nodiscard]] QList<QJsonObject> json() const;
};

//! Runs lockboardctl, its home in a temporary folder.
class Ctl final {
public:
    Ctl();

    //! Words are bytes, handed over as they are.
    CtlRun run(const QByteArrayList& words) const;
    //! The same, behind these words: a provider, say.
    void alwaysWith(const QByteArrayList& words) { m_always = words; }
    //! Starts it and gives it back running. `modifier` runs in the child, before the program.
    std::unique_ptr<QProcess> start(const QByteArrayList& words,
                                    const std::function<void()>& modifier = {}) const;
    static CtlRun finish(QProcess& process);

    [[nodiscard]] QString path(const QString& name) const { return m_folder.filePath(name); }
    QString writeFile(const QString& name, const QByteArray& text) const;
    [[nodiscard]] QList<QJsonObject> audit() const;

private:
    QTemporaryDir m_folder;
    QByteArrayList m_always;
};

} // namespace lockboard::test
