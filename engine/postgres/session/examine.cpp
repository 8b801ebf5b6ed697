// SPDX-License-Identifier: MIT
#include "engine/contract/errors.h"
#include "engine/postgres/session/session.h"
#include "engine/postgres/session/statements.h"

// Whether the session is ours alone. A pooler that shares its sessions looks like a server.

namespace lockboard::postgres {

using namespace std::chrono_literals;

static constexpr Duration waitPause = 20ms;
static constexpr int mostWaits = 50;

static const Statement ping =
    Statement({}, "SELECT pg_catalog.pg_backend_pid()").answeredBy("u", 1, 1);
static const Statement begin({}, "BEGIN");
static const Statement commit({}, "COMMIT");

static Task<Result> run(Connection* connection, const Statement* statement)
{
    Call call(*connection, Effect::Reads);
    call.add(*statement, {});
    call.send();
    Result result = co_await call.result();
    co_return result;
}

bool Session::isOpen(const QPointer<Session>& self)
{
    return self && !self->m_closed;
}

void Session::noteBackend(int pid)
{
    if (m_usable && m_connection.isReady() && pid != m_connection.backendPid())
        giveUp();
}

void Session::giveUp()
{
    onLost();
    m_usable = false;
    Q_EMIT becameUnusable();
}

Task<void> Session::examine()
{
    const QPointer<Session> self(this);
    co_await askBackend(self);
    while (isOpen(self) && m_examining)
        co_await rest();
    if (isOpen(self) && isExamined())
        co_return;
    std::exception_ptr problem;
    if (isOpen(self)) {
        m_examining = true;
        try {
            if (m_usable && m_connection.isPooled())
                co_await tellApart(self);
        } catch (const LockError&) {
            problem = std::current_exception();
        }
    }
    if (!isOpen(self))
        throw Cancelled("The provider was closed.");
    if (m_probe) { // perhaps it is what resumes us
        m_probe->close();
        m_probe.release()->deleteLater();
    }
    m_examining = false;
    if (problem)
        std::rethrow_exception(problem);
    if (!m_connection.isReady())
        co_return;
    m_examined = m_connection.session();
    if (m_ear == Ear::Listens && m_usable && !m_listening)
        co_await listen(self);
}

Task<void> Session::tryToExamine()
{
    try {
        co_await examine();
    } catch (const LockError&) {
        // whoever needs the session finds out himself
    }
}

Task<void> Session::rest()
{
    Signal pause(m_resumer);
    std::set<Signal*>& resting = m_resting;
    resting.insert(&pause);
    co_await pause.wait(m_clock.now() + waitPause, std::stop_token());
    resting.erase(&pause);
}

Task<void> Session::tellApart(QPointer<Session> self)
{
    // While another's transaction keeps one backend, we get a second; after it, a pooler that
    // shares them gives us the first. One that has none to spare lets us wait meanwhile.
    const Endpoint endpoint = self->m_connection.endpoint();
    // Ours, so that it ends with us: the clock may be gone soon after.
    self->m_probe = std::make_unique<Connection>(endpoint, self->m_container, "probe");
    co_await run(self->m_probe.get(), &begin);
    if (!isOpen(self))
        co_return;
    const auto answered = std::make_shared<bool>(false);
    letRun(keepAlive(self, answered));
    for (int waits = 0; waits < mostWaits && !*answered; ++waits) {
        if (!isOpen(self) || !self->m_usable)
            co_return;
        co_await self->rest();
    }
    if (!isOpen(self))
        co_return;
    if (!*answered)
        self->giveUp();
    co_await run(self->m_probe.get(), &commit);
    for (int i = 0; i < 3 && isOpen(self) && self->m_usable; ++i)
        co_await askBackend(self);
}

Task<void> Session::listen(QPointer<Session> self)
{
    try {
        const Result result = co_await run(&self->m_connection, &self->m_statements.listen);
        if (!isOpen(self) || result.isError() || !self->m_usable)
            co_return;
        self->m_listening = true;
        Q_EMIT self->listening();
    } catch (const LockError&) {
        // the session is over; the next one is examined anew
    }
}

Task<void> Session::keepAlive(QPointer<Session> self, std::shared_ptr<bool> answered)
{
    try {
        co_await askBackend(self);
        if (answered)
            *answered = true;
    } catch (const LockError&) {
        // the connection says what there is to say
    }
}

Task<void> Session::askBackend(QPointer<Session> self)
{
    const Result result = co_await run(&self->m_connection, &ping);
    if (isOpen(self) && !result.isError())
        self->noteBackend(static_cast<int>(result.integer(0, 0)));
}

} // namespace lockboard::postgres
