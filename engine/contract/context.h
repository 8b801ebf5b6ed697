// SPDX-License-Identifier: MIT
#pragma once

#include <QSharedDataPointer>

#include <any>
#include <string>

namespace lockboard {

//! The guide's `sharedContext`: what a request carries along, through the module to the provider
//! and into the audit log. An empty one costs a null pointer; copies share.
class SharedContext final {
public:
    SharedContext();
    SharedContext(const SharedContext&);
    SharedContext(SharedContext&&) noexcept;
    SharedContext& operator=(const SharedContext&);
    SharedContext& operator=(SharedContext&&) noexcept;
    ~SharedContext();

    class Fields : public QSharedData {
    public:
        std::string requestId;
        std::string transactionId;
        std::string eventGroupId;
        std::string idempotencyKey;
        std::string
            isolationLevel; //!< READ UNCOMMITTED, READ COMMITTED, REPEATABLE READ, SERIALIZABLE
        std::string parentStepIdempotencyKey;
        bool enableNestedTransactions = false;
        bool preventReleaseEvents = false;
        std::any transactionManager; //!< whatever the provider and the program agree on
    };

    [[nodiscard]] bool isEmpty() const { return !m_fields; }
    [[nodiscard]] const Fields& fields() const;
    //! To fill it in: `context.edit().requestId = "r1"`.
    Fields& edit();

private:
    QSharedDataPointer<Fields> m_fields;
};

} // namespace lockboard
