// SPDX-License-Identifier: MIT
#include "engine/redis/topology/replicas.h"

#include "engine/contract/errors.h"
#include "engine/redis/wire/shape.h"

#include <algorithm>

namespace lockboard::redis {

using namespace std::chrono_literals;

//! Lives in its call's frame, till that goes on.
class Replicas::Waiting final {
public:
    Waiting(std::vector<std::string> names, std::string owner, Resumer& resumer)
        : keys(std::move(names))
        , value(std::move(owner))
        , answered(resumer)
    {
    }

    std::vector<std::string> keys;
    std::string value;
    Signal answered;
    std::string fault;
    std::exception_ptr error;
};

static Endpoint patient(Endpoint endpoint, Duration timeout)
{
    endpoint.commandTimeout = std::max<Duration>(endpoint.commandTimeout, timeout + 1s);
    return endpoint;
}

Replicas::Replicas(const Endpoint& endpoint, const Container& container, Resumer& resumer,
                   int count, Duration timeout)
    : m_resumer(resumer)
    , m_count(count)
    , m_timeout(timeout)
    , m_touchScript("touch.lua")
    // The provider's own connection says already that a server can't be reached.
    , m_connection(patient(endpoint, timeout),
                   Container(*container.clock, [](LogLevel, const std::string&) {}))
{
    m_connection.open();
}

void Replicas::close()
{
    m_connection.close();
}

Task<std::string> Replicas::findFault(std::vector<std::string> keys, std::string value)
{
    Waiting waiting(std::move(keys), std::move(value), m_resumer);
    m_waiting.push_back(&waiting);
    if (!m_running)
        letRun(run());
    co_await waiting.answered.wait({}, std::stop_token());
    if (waiting.error)
        std::rethrow_exception(waiting.error);
    co_return waiting.fault;
}

void Replicas::sendTouch(Calls& calls, const Waiting& waiting) const
{
    // They were taken over another connection, and WAIT waits for the writes of its own only.
    const std::string keyCount = std::to_string(waiting.keys.size());
    Command touch("EVAL");
    touch << m_touchScript.source << keyCount;
    for (const std::string& key : waiting.keys)
        touch << key;
    touch << waiting.value;
    calls.send(touch);
}

Task<void> Replicas::run()
{
    m_running = true;
    while (!m_waiting.empty()) {
        const std::vector<Waiting*> turn = std::exchange(m_waiting, {});
        std::exception_ptr error;
        try {
            const std::string count = std::to_string(m_count);
            const std::string timeout = std::to_string(m_timeout.count());
            Calls calls(m_connection, Effect::Mutates);
            for (const Waiting* waiting : turn)
                sendTouch(calls, *waiting);
            calls.send(Command("WAIT") << count << timeout);
            const std::vector<Reply> replies = co_await calls.answers();
            calls.check(replies.back());
            calls.check(replies.back(), shape::isCount(replies.back(), 1'000'000), "WAIT");
            for (std::size_t i = 0; i < turn.size(); ++i)
                calls.check(replies[i],
                            replies[i].isError()
                                || shape::isCount(replies[i], turn[i]->keys.size()),
                            "EVAL (" + m_touchScript.name + ')');
            for (std::size_t i = 0; i < turn.size(); ++i)
                turn[i]->fault = judge(replies[i], replies.back(), *turn[i]);
        } catch (const LockError&) {
            error = std::current_exception();
        }
        for (Waiting* waiting : turn) {
            waiting->error = error;
            waiting->answered.raise();
        }
    }
    m_running = false;
}

std::string Replicas::judge(const Reply& touched, const Reply& waited, const Waiting& waiting) const
{
    const std::string who = "Redis at " + m_connection.endpoint().name() + ": ";
    if (touched.isError())
        return who + printableStart(touched.text());
    if (touched.integer() < static_cast<std::int64_t>(waiting.keys.size()))
        return who + "the lock was gone again before its replicas had it";
    if (waited.integer() >= m_count)
        return {};
    const std::int64_t have = waited.integer();
    return who + (have == 0 ? "none" : "only " + std::to_string(have)) + " of "
        + std::to_string(m_count) + (m_count == 1 ? " replica has" : " replicas has")
        + " the lock after " + std::to_string(m_timeout.count()) + " ms";
}

} // namespace lockboard::redis
