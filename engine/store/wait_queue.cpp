// SPDX-License-Identifier: MIT
#include "engine/store/wait_queue.h"

#include <algorithm>

namespace lockboard {

bool WaitQueue::hasWaiters(const LockKeys& keys) const
{
    return !m_queues.empty()
        && std::any_of(keys.begin(), keys.end(),
                       [this](const std::string& key) { return m_queues.contains(key); });
}

void WaitQueue::join(Ticket& ticket)
{
    ticket.m_queue = this;
    for (const std::string& key : ticket.keys) {
        auto& queue = m_queues[key];
        ticket.m_places.push_back(queue.insert(queue.end(), &ticket));
    }
}

void WaitQueue::leave(Ticket& ticket)
{
    for (std::size_t i = 0; i < ticket.m_places.size(); ++i) {
        const auto it = m_queues.find(ticket.keys[i]);
        it->second.erase(ticket.m_places[i]);
        if (it->second.empty())
            m_queues.erase(it);
    }
    ticket.m_places.clear();
    ticket.m_queue = nullptr;
}

bool WaitQueue::leads(const Ticket& ticket) const
{
    return std::all_of(ticket.keys.begin(), ticket.keys.end(),
                       [&](const std::string& key) { return front(key) == &ticket; });
}

WaitQueue::Ticket* WaitQueue::front(const std::string& key) const
{
    const auto it = m_queues.find(key);
    return it == m_queues.end() ? nullptr : it->second.front();
}

std::vector<WaitQueue::Ticket*> WaitQueue::fronts() const
{
    std::vector<Ticket*> all;
    all.reserve(m_queues.size());
    for (const auto& [key, queue] : m_queues)
        all.push_back(queue.front());
    return all;
}

std::vector<WaitQueue::Ticket*> WaitQueue::all() const
{
    std::vector<Ticket*> all;
    for (const auto& [key, queue] : m_queues) {
        for (Ticket* const ticket : queue) {
            if (ticket->keys.front() == key) // it stands in the queue of each of its keys
                all.push_back(ticket);
        }
    }
    return all;
}

} // namespace lockboard
