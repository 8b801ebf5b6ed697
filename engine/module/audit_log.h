// SPDX-License-Identifier: MIT
#pragma once

#include "engine/contract/context.h"
#include "engine/contract/errors.h"
#include "engine/module/audit_file.h"

#include <QString>

namespace lockboard {

//! One mutation as the audit tells it.
class AuditRecord final {
public:
    std::string id; //!< what its two lines have in common; given by AuditLog::intend
    std::string provider;
    std::string verb; //!< acquire, execute, release, releaseAll, or a provider's own
    std::vector<std::string> arguments; //!< of a provider's own verb
    std::vector<std::string> keys;
    Owner owner;
    std::string outcome; //!< granted, released, conflict, ... with what was left undone
    SharedContext context;
};

//! What was asked for could not be recorded, and so was not done: nothing was sent.
class NotRecorded final : public Unavailable {
public:
    NotRecorded(const std::string& file, const std::string& problem);
};

//! An append-only file of JSON lines: who did what to which locks, and what came of it. A mutation
//! has two of them, with one id: `"event": "intent"` before anything is sent, and `"event":
//! "outcome"` when it is known. Where the second is missing, a program ended in between. Several
//! programs may share the file (audit_file.h).
class AuditLog final {
public:
    //! `operatorName` is who is to answer for what is done. \throws ConfigError if the file can't
    //! be opened: what can't be recorded must not be done.
    AuditLog(const QString& file, std::string operatorName,
             std::int64_t limit = AuditFile::usualLimit);

    //! `lockboard/audit.jsonl` under the XDG state directory. A user without a home that could keep
    //! it has `/var/tmp/lockboard-UID/audit.jsonl`.
    [[nodiscard]] static QString defaultFile();
    //! user@host.
    [[nodiscard]] static std::string defaultOperator();

    //! Records what is about to be done, and gives the record its id. \throws NotRecorded
    void intend(AuditRecord& record);
    //! Records what came of it. None: it is written; else a sentence that says why it isn't.
    [[nodiscard]] std::optional<std::string> conclude(const AuditRecord& record);
    [[nodiscard]] QString fileName() const { return QString::fromStdString(m_file.path()); }

private:
    [[nodiscard]] QByteArray lineOf(const AuditRecord& record, bool isOutcome) const;

    AuditFile m_file;
    std::string m_operator;
};

} // namespace lockboard
