// SPDX-License-Identifier: MIT
#pragma once

#include "tests/interop/interop_test.h"

namespace lockboard::test {

//! Jobs under a lock: Medusa's and ours exclude each other, and each learns that its lock is lost:
//! the same of every store.
class InteropExecuteTest : public InteropTest {
    Q_OBJECT

public:
    using InteropTest::InteropTest;

private Q_SLOTS:
    void ourJobWaitsForMedusas();
    void medusasJobWaitsForOurs();
    void ourExecuteExcludesMedusasAcquire();
    void medusasAcquireExcludesOurExecute();
    void timesOutBesideMedusasJob();
    void medusaTimesOutBesideOurJob();
    void medusaTakesALockFromOurJob();
    void countsTogether_data();
    void countsTogether();

protected:
    //! The members of a call of Medusa's execute. `options`: in seconds.
    [[nodiscard]] static QJsonObject jobOf(const QJsonArray& keys, int milliseconds,
                                           const QJsonObject& options = {{u"timeout"_s, 60}});
    //! Starts a job of Medusa's and waits until it runs.
    int beginJob(const QJsonArray& keys, int milliseconds,
                 const QJsonObject& options = {{u"timeout"_s, 60}});
    [[nodiscard]] QStringList trail() const { return store().trail(); }
    Task<> holdFor(std::chrono::milliseconds time);
    Task<> holdUntil(std::stop_token stop);
};

} // namespace lockboard::test
