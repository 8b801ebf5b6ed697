// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/context.h"
#include "engine/contract/holder_note.h"
#include "engine/contract/lock.h"

#include <QJsonObject>

namespace lockboard::redis {

//! What lies beside a lock: who took it ("annotate") and its token ("fencing"). JSON under a key of
//! our own, with the lock's lease; a lock that never expires has its note for a week, because a
//! program that knows of no notes may release it. For the same reason a note counts only while it
//! names the owner that the lock has; of locks without owner, it may be an earlier holder's.
class Note final {
public:
    Note() = default;
    //! Of a lock with this value; empty if the text is no note, or another holder's.
    [[nodiscard]] static Note read(std::string_view text, std::string_view value);
    bool operator==(const Note&) const = default;

    HolderNote holder;
    std::optional<FencingToken> token;
};

//! Writes the notes of one provider and knows their keys. All keys of ours begin with "lockboard:",
//! outside the namespace of the locks, which Medusa's releaseAll scans. In a cluster each lies in
//! the slot of its lock, so that one script may touch both.
class Notes final {
public:
    static constexpr std::string_view keyspace = "lockboard:";
    //! What to say where they are denied.
    static constexpr const char* tokenRights =
        " Fencing tokens need the keys lockboard:* and the command TIME besides.";

    Notes(bool fencing, bool annotate);

    //! Beside locks there are notes.
    [[nodiscard]] bool areKept() const { return m_fencing || m_annotate; }
    //! ... and this user may write them, as far as is known.
    [[nodiscard]] bool areWritten() const { return m_fencing || (m_annotate && !m_forbidden); }
    [[nodiscard]] bool haveTokens() const { return m_fencing; }
    //! Whether the user may write them. Tokens, which a grant must have, are tried all the same.
    void setForbidden(bool forbidden) { m_forbidden = forbidden; }
    //! Of a lock's key as Redis knows it.
    [[nodiscard]] static std::string keyFor(const std::string& stored);
    //! Where the last token granted for a lock's key is kept.
    [[nodiscard]] static std::string counterFor(const std::string& stored, bool inCluster);
    //! Of a new grant, all but the token. `value`: the owner, or what stands for none.
    [[nodiscard]] std::string textFor(const std::string& value, const SharedContext& context) const;

private:
    bool m_fencing;
    bool m_annotate;
    bool m_forbidden = false;
    QJsonObject m_process; // what all notes of this process say
};

} // namespace lockboard::redis
