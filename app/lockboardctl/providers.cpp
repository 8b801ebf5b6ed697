// SPDX-License-Identifier: MIT
#include "app/lockboardctl/exit_code.h"
#include "app/lockboardctl/output.h"
#include "app/lockboardctl/rows.h"
#include "app/lockboardctl/verbs.h"

namespace lockboard::ctl {

using namespace Qt::StringLiterals;

static QJsonObject objectFor(const ProviderInfo& info)
{
    QJsonObject object{
        {u"id"_s, QString::fromStdString(info.id)},
        {u"identifier"_s, QString::fromStdString(info.identifier)},
        {u"default"_s, info.isDefault},
        {u"shared"_s, info.features.shared},
        {u"leases"_s, info.features.leases},
        {u"waiters"_s, info.features.waiters},
        {u"fencingTokens"_s, info.features.fencingTokens},
        {u"push"_s, info.features.push},
    };
    if (!info.problem.empty())
        object.insert(u"problem"_s, QString::fromStdString(printable(info.problem)));
    return object;
}

static Table::Row rowFor(const ProviderInfo& info)
{
    const QString id = QString::fromStdString(printable(info.id));
    const QString kind = QString::fromStdString(printable(info.identifier));
    const QString isDefault = info.isDefault ? u"yes"_s : u"no"_s;
    if (!info.problem.empty())
        return {id, kind, isDefault, QString::fromStdString(printable(info.problem))};
    QStringList can{info.features.shared ? u"shared"_s : u"this process only"_s};
    const auto add = [&can](bool does, const QString& word) {
        if (does)
            can.append(word);
    };
    add(info.features.leases, u"leases"_s);
    add(info.features.waiters, u"waiters"_s);
    add(info.features.fencingTokens, u"fencing tokens"_s);
    add(info.features.push, u"push"_s);
    return {id, kind, isDefault, can.join(u", "_s)};
}

Task<int> runProviders(Session& session, Arguments arguments)
{
    const auto& all = session.module().providers();
    if (arguments.json) {
        for (const ProviderInfo& info : all)
            writeLine(objectFor(info));
        co_return Done;
    }
    Table table;
    const Table::Row header{u"ID"_s, u"KIND"_s, u"DEFAULT"_s, u"FEATURES"_s};
    table.measure(header);
    for (const ProviderInfo& info : all)
        table.measure(rowFor(info));
    table.write(header);
    for (const ProviderInfo& info : all)
        table.write(rowFor(info));
    co_return Done;
}

} // namespace lockboard::ctl
