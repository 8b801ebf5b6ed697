// SPDX-License-Identifier: MIT
#pragma once

#include "engine/context.h"
#include "engine/lock.h"

#include <QFile>

namespace lockboard {

//! One mutation as the audit tells it.
class AuditRecord final {
public:
    std::string provider;
    std::string verb; //!< acquire, execute, release, releaseAll, or a provider's own
    std::vector<std::string> arguments; //!< of a provider's own verb
    std::vector<std::string> keys;
    Owner owner;
    std::string outcome; //!< granted, released, conflict, ... with what was left undone
    SharedContext context;
};

//! An append-only file of JSON lines: who did what to which locks, and what came of it. Every line
//! is written with one call, so that several programs may share the file.
class AuditLog final {
public:
    //! `operatorName` is who is to answer for what is done. \throws ConfigError if the file can't
    //! be opened: what can't be recorded must not be done.
    AuditLog(const QString& file, std::string operatorName);

    //! `lockboard/audit.jsonl` under the XDG state directory.
    [[nodiscard]] static QString defaultFile();
    //! user@host.
    [[nodiscard]] static std::string defaultOperator();

    void append(const AuditRecord& record);
    [[nodiscard]] QString fileName() const { return m_file.fileName(); }

private:
    QFile m_file;
    std::string m_operator;
};

} // namespace lockboard
