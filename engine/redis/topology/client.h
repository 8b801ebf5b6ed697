// SPDX-License-Identifier: MIT
#pragma once

#include "engine/async/task.h"
#include "engine/redis/topology/nodes.h"
#include "engine/redis/wire/script.h"
#include "engine/redis/wire/shape.h"

namespace lockboard::redis {

//! A script that mutates, or a plain command that reads, with its keys and arguments.
class Eval final {
public:
    //! An answer that is not as `shape` says, given the number of `locks`, is refused.
    Eval(const Script& s, shape::OfScript shape, std::size_t locks)
        : script(&s)
        , m_shape(shape)
        , m_locks(locks)
    {
    }
    //! `name` outlives it.
    Eval(std::string_view name, std::string key)
        : command(name)
    {
        addKey(std::move(key));
    }
    void addKey(std::string key) { keys.push_back(std::move(key)); }
    void addArgument(std::string argument) { arguments.push_back(std::move(argument)); }
    //! The keys and arguments added from here on are an extra, without which it runs too.
    void beginExtra()
    {
        m_keysWithout = keys.size();
        m_argumentsWithout = arguments.size();
    }
    //! Where to note that it was answered, with what can't be an answer; outlives the call.
    void notingUnfit(bool* to) { m_unfit = to; }
    [[nodiscard]] bool hasExtra() const { return m_keysWithout >= 0; }
    [[nodiscard]] Eval withoutExtra() const
    {
        Eval rest = *this;
        rest.keys.resize(m_keysWithout);
        rest.arguments.resize(m_argumentsWithout);
        return rest;
    }

    //! Whether this can be the answer to it.
    [[nodiscard]] bool fits(const Reply& reply) const
    {
        const bool fits = script ? m_shape(reply, m_locks) : shape::isAnswerTo(command, reply);
        if (!fits && m_unfit)
            *m_unfit = true;
        return fits;
    }
    //! In sentences.
    [[nodiscard]] std::string title() const
    {
        return script ? "EVALSHA (" + script->name + ')' : std::string(command);
    }

    const Script* script = nullptr;
    std::string_view command;
    QVarLengthArray<std::string, 1> keys;
    QVarLengthArray<std::string, 4> arguments;

private:
    shape::OfScript m_shape = nullptr;
    std::size_t m_locks = 0;
    bool* m_unfit = nullptr;
    qsizetype m_keysWithout = -1;
    qsizetype m_argumentsWithout = -1;
};

//! An answer, and when the question was written to the socket.
class Answer final {
public:
    Answer() = default;
    Answer(Reply r, TimePoint sent)
        : reply(std::move(r))
        , sentAt(sent)
    {
    }

    Reply reply;
    TimePoint sentAt;
};

//! Answers to questions about keys, and when the first question was written to its socket.
class Answers final {
public:
    Answers() = default;

    std::vector<Reply> replies; //!< key by key
    TimePoint sentAt;
};

//! What the provider and its views say to Redis, whatever that consists of: the one place that
//! knows which servers there are and which of them keeps a key. It asks the first server that it
//! reaches whether it belongs to a cluster; if so it learns who serves which slot, and again
//! whenever there is a sign that this has changed. A server that sends us elsewhere has done
//! nothing, so what it was sent is sent there.
class Client final : public QObject {
    Q_OBJECT

public:
    Client(const Settings& settings, const Container& container);
    ~Client() override;

    //! Starts to connect; returns at once.
    void open();
    //! For good. What is under way ends with Cancelled before this returns.
    void close();

    //! Every server that keeps locks is known and connected.
    [[nodiscard]] bool isReady() const { return m_isReady; }
    //! Why it is not ready, if an attempt has shown that: Unavailable or Denied.
    [[nodiscard]] std::exception_ptr problem() const;
    //! Whether it is known what there is; else see learn().
    [[nodiscard]] bool isKnown() const { return m_kind != Kind::Unknown; }
    [[nodiscard]] bool isCluster() const { return m_kind == Kind::Cluster; }
    //! We may not ask the cluster who serves what, and so know only the nodes that we were sent to.
    [[nodiscard]] bool isPartlyKnown() const { return m_mapForbidden; }
    //! To the server that keeps this key, as Redis knows it. Null: learn() first.
    [[nodiscard]] Connection* connectionFor(std::string_view key);
    //! To those that keep locks, as far as is known.
    [[nodiscard]] std::vector<Connection*> masters() const;
    //! Counts the changes of who serves what.
    [[nodiscard]] std::uint64_t topologyNumber() const { return m_topologyNumber; }
    [[nodiscard]] const Nodes& nodes() const { return m_nodes; }
    //! Indexes of keys (as Redis knows them) that one command may name together: all of them, or in
    //! a cluster those of each slot, in the order of the slots.
    [[nodiscard]] std::vector<std::vector<std::size_t>>
    together(const std::vector<std::string>& keys) const;

    //! Waits until it is known whether there is one server or a cluster.
    //! \throws Unavailable, Denied if the next attempt fails; Cancelled
    Task<void> learn();
    //! Asks a cluster who serves what now, and waits for that; of one server it asks nothing.
    Task<void> refresh();
    //! The same, soon, without waiting for it.
    void refreshSoon();
    //! Goes on after a while, or at once if this is closed meanwhile.
    Task<void> rest(Duration time);

    //! Runs it where its keys are, which are of one slot. A script by its hash; only if the server
    //! says that it does not know it, and so has done nothing, by its source. Never gives an error
    //! reply, but WRONGTYPE of a plain command. \throws as Call, and what its check() throws
    Task<Answer> eval(Eval eval);
    //! Sends one or two commands, such as GET, with each of the keys and nothing else, all in one
    //! go. No answer is an error other than WRONGTYPE, the denial of that key, or what stands for a
    //! value that is too long. \throws as Call, and what its check() throws
    Task<Answers> ask(std::vector<std::string> keys, std::string_view question,
                      std::string_view another = {});
    //! An error reply that eval() would follow or wait out.
    [[nodiscard]] static bool isRedirection(const Reply& reply);

Q_SIGNALS:
    void ready();
    //! An attempt to connect failed, or a connection was lost; problem() says why.
    void unavailable();
    //! Before ready: as Connection says it of one of the servers, and of a failover within the
    //! cluster.
    void replaced(const std::string& how);
    //! Others keep the locks now, or other ones of them.
    void topologyChanged();

private:
    enum class Kind : std::uint8_t { Unknown, One, Cluster };
    class Learned;
    class Rest;
    //! Where one command has been sent so far.
    class Route final {
    public:
        Connection* next = nullptr; // null: by the map
        bool asking = false;
        int redirections = 0;
        int rests = 0;
    };

    void openSeed();
    void onReady(Connection* connection);
    void onUnavailable(Connection* connection);
    void openSeedAfter(Duration pause);
    void dropSeed();
    void failSeed(std::exception_ptr problem);
    Task<void> probe(Connection* connection);
    Task<bool> saysCluster(Connection* connection);
    void takeMap(const Reply& reply, const Endpoint& asked);
    void sayFailovers(const std::vector<std::pair<int, Connection*>>& before);
    void beOne();
    void beClusterUnseen();
    void becomeKnown(Kind kind);
    void resumeLearners();
    void updateReady();
    void noteTopology();
    void tidySoon();
    void refreshAt(TimePoint when);
    [[noreturn]] void failForNode(std::string_view key) const;
    Task<void> follow(Route* route, std::string error, Endpoint asked);
    Task<Answers> askCluster(std::vector<std::string> keys, std::string_view question,
                             std::string_view another);

    Clock& m_clock;
    std::vector<Endpoint> m_seeds;
    bool m_mustBeCluster;
    Nodes m_nodes;
    Kind m_kind = Kind::Unknown;
    Connection* m_seed = nullptr; // the one server, or whom we ask who serves what
    std::size_t m_seedIndex = 0;
    std::size_t m_seedsFailed = 0; // in a row
    std::exception_ptr m_problem;
    bool m_isReady = false;
    bool m_mapForbidden = false;
    bool m_closed = false;
    bool m_topologyPosted = false;
    std::uint64_t m_topologyNumber = 0;
    std::uint64_t m_refreshNumber = 0;
    std::uint64_t m_refreshTaken = 0;
    TimePoint m_lastRefresh;
    TimePoint m_refreshDue;
    Clock::TimerId m_refreshTimer = 0;
    Clock::TimerId m_seedTimer = 0;
    std::vector<std::coroutine_handle<>> m_learning;
    std::map<Clock::TimerId, std::coroutine_handle<>> m_resting;
};

} // namespace lockboard::redis
