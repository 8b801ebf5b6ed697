// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/lock.h"

#include <QList>
#include <QObject>
#include <QStringList>

#include <memory>
#include <unordered_map>

namespace lockboard {

enum class ChangeKind : std::uint8_t {
    Acquired,
    Extended, //!< the same owner, another lease end
    OwnerChanged,
    Released,
    Expired,
};

class LockChange final {
public:
    LockChange() = default;
    LockChange(ChangeKind k, Lock l)
        : kind(k)
        , lock(std::move(l))
    {
    }

    ChangeKind kind = ChangeKind::Acquired;
    Lock lock; //!< as it is now; with Released and Expired as it last was
};

class SourceState final {
public:
    enum Kind : std::uint8_t { Connecting, Live, Stale, Failed };

    SourceState() = default;
    explicit SourceState(Kind k, QString w = {}, bool isDenied = false)
        : kind(k)
        , why(std::move(w))
        , denied(isDenied)
    {
    }
    bool operator==(const SourceState&) const = default;

    Kind kind = Connecting;
    QString why; //!< one sentence, free of secrets; with Live: what is missing from what is shown
    bool denied = false; //!< with Failed: the server's access rules forbid it
    QString mode; //!< how changes come to be known, in a few words ("push (RESP2)", "polling")
    QStringList warnings; //!< what is unsafe about the source: sentences, free of secrets
    bool insecure = false; //!< others may read or change what is said to it: among the warnings
};

// Implicitly shared, so that handing them to another thread costs a reference count.
using LockBatch = QList<Lock>;
using ChangeBatch = QList<LockChange>;

//! The locks of one provider as they come and go. Made by LockProvider::liveView, lives on the
//! engine's thread; connect from any thread, then call start(). What it says, in this order:
//! snapshotStarted, snapshotBatch (any number), snapshotCompleted, then changed. A source that has
//! to look anew, after a reconnect say, starts another snapshot; until that is complete, what was
//! shown before stands, marked Stale.
class LiveView : public QObject {
    Q_OBJECT

public:
    using QObject::QObject;

    //! From any thread, after connecting.
    void start();
    //! Looks at the source again now. From any thread.
    void refresh();
    //! For the module: whose view it is. What it throws is said in its state, by that name.
    void nameProvider(std::string id) { m_provider = std::move(id); }

Q_SIGNALS:
    void snapshotStarted();
    void snapshotBatch(const lockboard::LockBatch& locks);
    void snapshotCompleted();
    void changed(const lockboard::ChangeBatch& changes);
    void stateChanged(const lockboard::SourceState& state);

protected:
    virtual void doStart() = 0;
    virtual void doRefresh() = 0;
    //! Remembers and, if it is another than before, says it.
    void setState(SourceState state);
    [[nodiscard]] const SourceState& state() const { return m_state; }

    //! Says it with the next batch, some milliseconds from now at the most. Several changes of one
    //! key in between become one, so that a million calls a second don't become a million changes.
    void note(ChangeKind kind, Lock lock);
    void flush();

private:
    void run(void (LiveView::*what)());

    std::string m_provider;
    std::unordered_map<std::string, LockChange> m_pending; // by identity
    SourceState m_state;
    bool m_flushPosted = false;
    bool m_stateSaid = false;
};

//! Falls silent at once, and is deleted on the thread it lives in, or here if that has ended.
struct LiveViewDeleter {
    void operator()(LiveView* view) const;
};
using LiveViewPtr = std::unique_ptr<LiveView, LiveViewDeleter>;

} // namespace lockboard

Q_DECLARE_METATYPE(lockboard::LockBatch)
Q_DECLARE_METATYPE(lockboard::ChangeBatch)
Q_DECLARE_METATYPE(lockboard::SourceState)
