// SPDX-License-Identifier: MIT
#include "app/lockboard/screenshot.h"

#include "engine/contract/lock.h"
#include "ui/main_window/main_window.h"

#include <QCoreApplication>
#include <QTimer>

#include <cstdio>

namespace lockboard {

using namespace std::chrono_literals;

Screenshot::Screenshot(MainWindow& window, const QString& file, std::chrono::milliseconds moment)
    : QObject(&window)
    , m_window(window)
    , m_file(file)
{
    const auto once =
        static_cast<Qt::ConnectionType>(Qt::AutoConnection | Qt::SingleShotConnection);
    connect(
        &window, &MainWindow::firstDataShown, this,
        [this, moment] { QTimer::singleShot(moment, this, &Screenshot::take); }, once);
    QTimer::singleShot(20s, this, [] {
        std::fputs("lockboard: nothing came to be shown in time\n", stderr);
        QCoreApplication::exit(1);
    });
}

void Screenshot::take()
{
    const bool saved = m_window.grab().save(m_file);
    if (!saved)
        std::fprintf(stderr, "lockboard: %s can't be written\n",
                     printable(m_file.toStdString()).c_str());
    QCoreApplication::exit(saved ? 0 : 1);
}

} // namespace lockboard
