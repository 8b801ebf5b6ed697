// SPDX-License-Identifier: MIT
#include "ui/locks/lock_filter.h"

#include <cstdlib>

using namespace lockboard;

//! What is typed into the filter: any text is a filter, and nothing is both found and excluded.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const QByteArrayView bytes(data, qsizetype(size));
    const QString text = QString::fromUtf8(bytes);
    const TimePoint now = std::chrono::steady_clock::now();
    LockStore store;
    store.upsert(Lock("cart_1", "ann", now + std::chrono::seconds(5)), 1);
    store.upsert(Lock(bytes.toByteArray().toStdString(), "bob"), 1);
    store.upsert(Lock("\xff\xfe", {}, {}, LockState::WrongType), 1);
    const LockFilter filter = LockFilter::parse(text);
    const LockFilter inverse = LockFilter::parse(u'-' + text);
    LockMatcher matcher(filter, store.table(), now);
    LockMatcher excluding(inverse, store.table(), now);
    const bool isOneTerm = filter.terms().size() == 1 && inverse.terms().size() == 1
        && filter.terms().front().exclude != inverse.terms().front().exclude
        && filter.terms().front().needle == inverse.terms().front().needle
        && filter.terms().front().field == inverse.terms().front().field
        && filter.terms().front().exact == inverse.terms().front().exact;
    for (RowId id = 0; id < store.slots(); ++id) {
        const bool found = matcher.matches(store.row(id));
        if (excluding.matches(store.row(id)) == found && isOneTerm)
            std::abort();
    }
    return 0;
}
