// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace lockboard {

//! Where other threads leave what is to run in this one. A letter runs from the event loop of the
//! thread that made the mailbox, in the order of posting, or it is returned: no letter is lost.
//!
//! The letters lie under a mutex of our own, and a Qt event is only the bell. So whatever a thread
//! wrote before it posted is seen by whoever reads the letter, and ThreadSanitizer sees that too,
//! although Qt is not compiled for it.
class Mailbox final {
public:
    using Letter = std::function<void()>;

    //! It belongs to the calling thread.
    Mailbox();
    //! On its own thread.
    ~Mailbox();
    Mailbox(const Mailbox&) = delete;
    Mailbox& operator=(const Mailbox&) = delete;

    //! The one of the calling thread, which is closed when that thread ends. Whoever posts to it
    //! holds on to the pointer: the mailbox outlives its thread, closed.
    [[nodiscard]] static std::shared_ptr<Mailbox> ofThisThread();

    //! Leaves a letter, from any thread. If the mailbox is closed before the letter has run,
    //! `returned` is called instead, on the mailbox's own thread. False: it is closed already, and
    //! neither is ever called. Letters don't throw.
    [[nodiscard]] bool post(Letter letter, Letter returned = {});

    using WatchId = std::uint64_t;
    //! Calls back on the mailbox's own thread when it is closed; from any thread. 0: it is closed
    //! already.
    [[nodiscard]] WatchId watch(Letter onClose);
    void unwatch(WatchId id);

    //! On its own thread: takes no more letters, and returns those that have not run.
    void close();

private:
    class Bell;
    class State;
    std::shared_ptr<State> m_state;
};

} // namespace lockboard
