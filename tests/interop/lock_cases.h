// SPDX-License-Identifier: MIT
#pragma once

#include "tests/interop/interop_test.h"

namespace lockboard::test {

//! What Medusa writes we see, respect and free, and the other way round: the same of every store.
class InteropLocksTest : public InteropTest {
    Q_OBJECT

public:
    using InteropTest::InteropTest;

private Q_SLOTS:
    void acquireExcludesAcquire();
    void onlyOneOfTwoGetsALock();
    void ownerlessLocksExclude();
    void theSameOwnerReenters();
    void releasesOnlyTheOwners();
    void releasesTheOwnerless();
    void releaseAllFreesOneOwners();
    void weTakeWhatMedusaLeaves();

protected:
    //! Two owners' locks of Medusa's, two of ours, one without owner.
    void makeAMix();
};

} // namespace lockboard::test
