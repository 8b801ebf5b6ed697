// SPDX-License-Identifier: MIT
#include "engine/postgres/view/session_lock.h"

#include "engine/postgres/wire/number.h"

#include <sstream>

namespace lockboard::postgres {

enum Column {
    Hash = SessionLock::firstColumn,
    Pid,
    Granted,
    Application,
    Client,
    User,
    Activity,
    TransactionBegan,
    QueryBegan,
    Session,
    BlockedBy,
    Hidden,
    ColumnsEnd,
};

SessionLock::SessionLock(const Result& result, int row, double serverNow, TimePoint now)
    : hash(static_cast<std::uint32_t>(result.integer(row, Hash)))
    , granted(result.isTrue(row, Granted))
    , hidden(result.isTrue(row, Hidden))
{
    HolderNote::Fields& fields = note.edit();
    const auto text = [&](Column column) { return std::string(result.text(row, column)); };
    const auto time = [&](Column column) -> std::optional<TimePoint> {
        if (result.isNull(row, column))
            return {};
        const double age = serverNow - serverTimeFrom(result.text(row, column));
        return now - std::chrono::duration_cast<Duration>(std::chrono::duration<double>(age));
    };
    fields.pid = result.integer(row, Pid);
    fields.program = text(Application);
    fields.host = text(Client);
    fields.user = text(User);
    fields.activity = text(Activity);
    fields.session = text(Session);
    fields.transactionBegan = time(TransactionBegan);
    fields.queryBegan = time(QueryBegan);
    std::istringstream blockers(text(BlockedBy));
    for (std::int64_t pid = 0; blockers >> pid;)
        fields.blockedBy.push_back(pid);
    for (int column = Hash; column < ColumnsEnd; ++column) {
        said += result.text(row, column);
        said += '\t';
    }
}

Lock SessionLock::lock(const std::string& key) const
{
    Lock lock(key, {}, {}, granted ? LockState::Advisory : LockState::Waiting);
    lock.note = note;
    return lock;
}

} // namespace lockboard::postgres
