// SPDX-License-Identifier: MIT
#include "engine/module/built_in_kinds.h"
#include "tests/contract/subject.h"

#include <QCoreApplication>

namespace lockboard::test {

class MemorySubject final : public Subject {
public:
    explicit MemorySubject(Ownerless policy)
        : m_container(m_clock)
        , m_module(Config::parse(policy == Ownerless::Exclusive ? exclusive : claimable, "test",
                                 ".", builtInKinds()),
                   m_container)
    {
    }

    LockingModule& module() override { return m_module; }
    Clock& clock() override { return m_clock; }
    Duration tolerance() const override { return Duration::zero(); }
    void pass(Duration time) override
    {
        QCoreApplication::processEvents();
        for (const Duration step(5); time > Duration::zero(); time -= step) {
            m_clock.advance(std::min(step, time));
            QCoreApplication::processEvents();
        }
        QCoreApplication::processEvents();
    }

private:
    static constexpr const char* claimable =
        R"({"providers": [{"resolve": "in-memory", "id": "memory", "is_default": true}]})";
    static constexpr const char* exclusive =
        R"({"providers": [{"resolve": "in-memory", "id": "memory", "is_default": true,
              "options": {"ownerless": "exclusive"}}]})";

    ManualClock m_clock;
    Container m_container;
    LockingModule m_module;
};

std::unique_ptr<Subject> makeSubject(Ownerless policy)
{
    return std::make_unique<MemorySubject>(policy);
}

} // namespace lockboard::test
