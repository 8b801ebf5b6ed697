// SPDX-License-Identifier: MIT
#pragma once

#include <QDBusVariant>
#include <QObject>

#include <optional>

namespace lockboard {

//! What the desktop prefers, light or dark, now and later, from its portal on D-Bus: Qt 6.4 has no
//! QStyleHints::colorScheme. Never blocks; without a portal nothing is ever said.
class ColorSchemePortal final : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;
    void ask();

Q_SIGNALS:
    //! None: the desktop has no preference.
    void preferenceKnown(std::optional<bool> dark);

private Q_SLOTS:
    void settingChanged(const QString& space, const QString& key, const QDBusVariant& value);
};

} // namespace lockboard
