// SPDX-License-Identifier: MIT
#include "ui/theme/color_scheme_portal.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>

namespace lockboard {

using namespace Qt::StringLiterals;

static const QString appearance = u"org.freedesktop.appearance"_s;
static const QString colorScheme = u"color-scheme"_s;

void ColorSchemePortal::ask()
{
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    const QString service = u"org.freedesktop.portal.Desktop"_s;
    const QString path = u"/org/freedesktop/portal/desktop"_s;
    const QString settings = u"org.freedesktop.portal.Settings"_s;
    bus.connect(service, path, settings, u"SettingChanged"_s, this,
                SLOT(settingChanged(QString, QString, QDBusVariant)));
    QDBusMessage question = QDBusMessage::createMethodCall(service, path, settings, u"Read"_s);
    question.setArguments({appearance, colorScheme});
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(question), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
        watcher->deleteLater();
        const QDBusPendingReply<QDBusVariant> reply = *watcher;
        if (!reply.isError())
            settingChanged(appearance, colorScheme, reply.value());
    });
}

void ColorSchemePortal::settingChanged(const QString& space, const QString& key,
                                       const QDBusVariant& value)
{
    if (space != appearance || key != colorScheme)
        return;
    QVariant scheme = value.variant();
    while (scheme.canConvert<QDBusVariant>()) // Read wraps it twice
        scheme = scheme.value<QDBusVariant>().variant();
    constexpr uint none = 0;
    constexpr uint dark = 1;
    const uint wish = scheme.toUInt();
    Q_EMIT preferenceKnown(wish == none ? std::nullopt : std::optional(wish == dark));
}

} // namespace lockboard
