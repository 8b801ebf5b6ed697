// SPDX-License-Identifier: MIT
#include "engine/contract/medusa_hash.h"
#include "engine/postgres/locks/provider.h"
#include "engine/postgres/session/keys.h"

// From one job to the next of this process, a lock goes in one transaction instead of two: its row
// gets another owner, and what the session has locked stays locked.

namespace lockboard::postgres {

using namespace postgres;
using namespace std::chrono_literals;

//! After it those who wait elsewhere get their turn.
static constexpr Duration longestChain = 20ms;

class Provider::Offer final {
public:
    Offer(Session& heldIn, std::string holder, Resumer& resumer)
        : session(heldIn)
        , owner(std::move(holder))
        , answered(resumer)
    {
    }

    Session& session;
    const std::string owner;
    bool isTaken = false;
    std::optional<ReleaseResult> result; // none: it is the owner's still, as far as is known
    Signal answered;
};

bool Provider::mayHandOver(const Session& session, const LockKeys& keys)
{
    const std::string& key = keys.front();
    return keys.size() == 1 && !session.isPooled() && waitQueue().front(key)
        && !m_offers.contains(key)
        && clock().now() - session.heldSince(medusaHash(key)) < longestChain;
}

Task<std::optional<ReleaseResult>> Provider::handOver(Session* session, std::string key,
                                                      std::string owner)
{
    const auto offer = std::make_shared<Offer>(*session, std::move(owner), resumer());
    m_offers.emplace(key, offer);
    wake(key);
    co_await resumer().turn(); // whoever was woken has looked by then
    if (offer->isTaken)
        co_await offer->answered.wait({}, std::stop_token());
    else if (!isClosing())
        m_offers.erase(key);
    if (!offer->result && isClosing())
        throw Cancelled("The provider was closed.");
    if (offer->result && offer->result->allReleased() && !isClosing())
        noteLost(offer->owner, key);
    co_return offer->result; // also of a provider that is being closed: it is known
}

std::shared_ptr<Provider::Offer> Provider::takeOffer(const LockKeys& keys,
                                                     const AcquireOptions& options)
{
    if (m_offers.empty() || keys.size() != 1 || !options.isUniquelyOwned() || !options.lease())
        return {};
    const auto found = m_offers.find(keys.front());
    // What the offer says may have ended meanwhile, with the session say.
    if (found == m_offers.end() || !found->second->session.holds(found->second->owner, keys))
        return {};
    const auto offer = std::move(found->second);
    m_offers.erase(found);
    offer->isTaken = true;
    return offer;
}

Task<Grant> Provider::takeOver(std::shared_ptr<Offer> offer, LockKeys keys, AcquireOptions options)
{
    // However this ends, the job that offered it goes on.
    const auto answer = [](Offer* one) { one->answered.raise(); };
    const std::unique_ptr<Offer, decltype(answer)> answering(offer.get(), answer);
    const std::string& key = keys.front();
    const std::string owner = options.owner().value_or("");
    Session& session = offer->session;
    session.handOn(offer->owner, owner, key);
    const auto giveBack = [&] {
        session.handOn(owner, offer->owner, key);
        session.forgetLost(owner, keys);
        if (!session.holds(offer->owner, keys))
            noteLost(offer->owner, key); // if its job is still running
    };
    Parameters parameters;
    parameters << key << owner << msText(options.lease())
               << std::to_string(placeOf(medusaHash(key))) << offer->owner;
    Call call(session.connection(), Effect::Mutates);
    call.add(m_statements.handOver, std::move(parameters));
    call.send();
    Result result;
    try {
        result = co_await call.result();
    } catch (const OutcomeUnknown& error) {
        giveBack();
        offer->result.emplace({KeyRelease(key, ReleaseOutcome::Unknown)});
        if (isClosing())
            throw;
        throw NotTaken(error.message());
    } catch (const Unavailable&) {
        giveBack();
        throw Conflict(key, {}, {}); // never sent: the next look tells whether it is so still
    } catch (const LockError&) {
        giveBack();
        throw;
    }
    if (result.isError() || result.rows() == 0) {
        giveBack();
        conflictIfLocked(result, keys, options);
        if (result.isError() && !result.isPassing())
            std::rethrow_exception(errorOf(result));
        throw Conflict(key, {}, {}); // it is being released, if it is there still
    }
    offer->result.emplace();
    const Grant grant(call.sentAt() + *options.lease(),
                      static_cast<FencingToken>(result.integer(0, 0)));
    noteGranted(keys, owner, grant);
    co_return grant;
}

} // namespace lockboard::postgres
