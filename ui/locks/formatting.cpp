// SPDX-License-Identifier: MIT
#include "ui/locks/formatting.h"

#include <QLocale>

#include <algorithm>
#include <cmath>

namespace lockboard {

using namespace Qt::StringLiterals;
using namespace std::chrono_literals;

static QString twoParts(std::int64_t big, const QString& bigUnit, std::int64_t small,
                        const QString& smallUnit)
{
    return u"%1 %2 %3 %4"_s.arg(big).arg(bigUnit).arg(small, 2, 10, QChar(u'0')).arg(smallUnit);
}

QString durationText(Duration left)
{
    if (left < 10s) {
        const auto tenths = std::max<std::int64_t>(0, left.count() / 100);
        return u"%1.%2 s"_s.arg(tenths / 10).arg(tenths % 10);
    }
    const std::int64_t seconds = std::chrono::floor<std::chrono::seconds>(left).count();
    if (seconds < 60)
        return u"%1 s"_s.arg(seconds);
    if (seconds < 3600)
        return twoParts(seconds / 60, u"min"_s, seconds % 60, u"s"_s);
    if (seconds < 86'400)
        return twoParts(seconds / 3600, u"h"_s, seconds / 60 % 60, u"min"_s);
    return twoParts(seconds / 86'400, u"d"_s, seconds / 3600 % 24, u"h"_s);
}

double leaseShare(Duration left)
{
    const double seconds = std::max(0.0, static_cast<double>(left.count()) / 1000.0);
    return std::min(1.0, std::log1p(seconds) / std::log1p(3600.0));
}

QString numberText(std::uint64_t number)
{
    return QLocale(QLocale::English).toString(qulonglong(number));
}

QString countText(std::uint64_t count, const QString& noun)
{
    return numberText(count) + u' ' + noun + (count == 1 ? u""_s : u"s"_s);
}

QString ownerText(const Owner& owner)
{
    return owner ? inQuotes(*owner) : u"no owner"_s;
}

} // namespace lockboard
