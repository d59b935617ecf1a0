// The invariants of shards and their parts: each is noticed when it is broken.
#include "defect.hpp"
#include "engine_support.hpp"

#include <leat/engine/detail/accept_queue.hpp>
#include <leat/engine/detail/wait_line.hpp>
#include <leat/engine/shard.hpp>

#include <boost/test/unit_test.hpp>

#include <sys/socket.h>

#include <memory>

using leat::test::check_defects;
using leat::test::defect;
using leat::test::undone;

namespace {

/// Shards of an engine that is not started: this thread steps them.
struct stepped {
    explicit stepped(unsigned shards) : engine(leat::test::options_of(shards)) {
        for (unsigned i = 0; i < engine.shards(); ++i) engine.at(i).open();
    }
    template <class Function>
    void on(unsigned index, Function function) {
        leat::test::call item{function};
        engine.at(index).schedule(item);
        engine.at(index).turn();
    }
    leat::engine engine;
};

void do_nothing(leat::detail::work&) noexcept {}

}  // namespace

namespace leat::detail {

struct tampering {
    using box = mailbox<>;
    struct frames : frame_pool {
        frame_pool::block one{};
    };
    struct room {
        connection_room& of;
        connection_place first{[](connection_place&) noexcept {}};
        connection_place second{[](connection_place&) noexcept {}};
        room_waiter waits{[](room_waiter&) noexcept {}};
    };
    struct acceptor {
        explicit acceptor(shard& home, int descriptor)
            : of(accept_queue::make(home, descriptor)), one(&do_nothing, home) {}
        void wait(undone& after) {
            of->waiting_.push_back(one);
            after.then([this] { one.unlink(); });
        }
        void keep(undone& after) {
            of->ready_.push_back(-1);
            after.then([this] { of->ready_.clear(); });
        }
        boost::intrusive_ptr<accept_queue> of;
        waiter one;
        boost::intrusive::list<room_waiter, boost::intrusive::constant_time_size<false>> elsewhere;
    };
    struct one_waits : line_wait {
        using line_wait::line_wait;
    };
    struct line {
        wait_line of{activity::semaphore};
        wait_line other{activity::semaphore};
        one_waits one{of};
    };

    static std::vector<defect<box>> of_senders() {
        return {
            {"a mailbox is fuller than it has room for",
             [](box& of, undone& after) { after.set(of.filled_, 1000); }},
            {"messages were taken that were not published",
             [](box& of, undone& after) {
                 after.set(of.head_seen_, 2);
                 after.set(of.published_, 1);
             }},
            {"messages wait though there is room",
             [](box& of, undone& after) {
                 static work one;
                 of.waiting_.push(one);
                 after.then([&of] { of.waiting_.pop(); });
             }},
            {"messages that waited for room are counted wrongly",
             [](box& of, undone& after) { after.set(of.overflows_, 3); }},
        };
    }
    static std::vector<defect<box>> of_receivers() {
        return {
            {"a message was taken and its place not given back",
             [](box& of, undone& after) { after.set(of.taken_, 1); }},
            {"more messages are visible than a mailbox holds",
             [](box& of, undone& after) { after.set(of.tail_, 1000); }},
        };
    }
    static std::vector<defect<inbox<>>> of_inboxes() {
        return {{"more have left an inbox than had entered", [](inbox<>& of, undone& after) {
                     of.leave();
                     after.then([&of] { static_cast<void>(of.enter()); });
                 }}};
    }
    static std::vector<defect<frames>> of_frames() {
        return {
            {"free frames are counted wrongly",
             [](frames& of, undone& after) { after.set(of.lists_[3].count, 1); }},
            {"more free frames are kept than ever are",
             [](frames& of, undone& after) {
                 after.set(of.lists_[3].first, &of.one);
                 after.set(of.lists_[3].count, 2000);
             }},
        };
    }
    static std::vector<defect<outcome_state<int>>> of_outcomes() {
        using state = outcome_state<int>;
        return {
            {"an outcome is both a value and an error",
             [](state& of, undone& after) { after.set(of.error_, error{errc::closed}); }},
            {"an exception is kept without its error",
             [](state& of, undone& after) {
                 after.set(of.exception_, std::make_exception_ptr(1));
             }},
            {"an error is kept that is none",
             [](state& of, undone& after) {
                 after.set(of.value_, std::nullopt);
                 after.set(of.error_, error{});
             }},
        };
    }
    static std::vector<defect<room>> of_rooms() {
        return {
            {"more connections are told to end than are open",
             [](room& of, undone& after) { after.set(of.of.ending_, 3); }},
            {"more connections are idle than are open",
             [](room& of, undone& after) { after.set(of.of.open_, 1); }},
            {"a connection counts as idle that was told to end",
             [](room& of, undone& after) { after.set(of.first.ending, true); }},
            {"idle connections do not stand in the order in which they became so",
             [](room& of, undone& after) {
                 after.set(of.first.idle_since, io::time_point::max());
             }},
            {"accepting waits for room that there is",
             [](room& of, undone& after) {
                 of.of.waiting_.push_back(of.waits);
                 after.then([&of] { of.waits.unlink(); });
             }},
        };
    }
    static std::vector<defect<acceptor>> of_acceptors() {
        return {
            {"a listening socket is used that nobody refers to",
             [](acceptor& of, undone& after) { after.set(of.of->references_, 0); }},
            {"somebody waits at a closed listening socket",
             [](acceptor& of, undone& after) {
                 after.set(of.of->closed_, true);
                 of.wait(after);
             }},
            {"a closed listening socket keeps connections",
             [](acceptor& of, undone& after) {
                 after.set(of.of->closed_, true);
                 of.keep(after);
             }},
            {"somebody waits for connections that are not accepted",
             [](acceptor& of, undone& after) { of.wait(after); }},
            {"somebody waits though a connection is ready",
             [](acceptor& of, undone& after) {
                 of.wait(after);
                 of.keep(after);
                 of.elsewhere.push_back(of.of->room_);
                 after.then([&of] { of.of->room_.unlink(); });
             }},
        };
    }
    static std::vector<defect<line>> of_lines() {
        return {
            {"a task waits in a line that it does not know",
             [](line& of, undone& after) { after.set(of.one.line_, &of.other); }},
            {"a task waits in a line though it was stopped",
             [](line& of, undone& after) { after.set(of.one.stopped_, true); }},
        };
    }
};

}  // namespace leat::detail

namespace leat {

struct tampering {
    struct listener : detail::stop_listener {
        listener() noexcept : stop_listener([](stop_listener&) noexcept {}) {}
    };
    struct wait : detail::listed_wait {};

    static std::vector<defect<shard>> of_routes() {
        return {
            {"messages to a shard go two ways",
             [](shard& of, undone& after) { after.set(of.outgoing_[1].by_inbox, true); }},
            {"messages are to be sent by nobody",
             [](shard& of, undone& after) { after.set(of.outgoing_[1].dirty, true); }},
            {"messages wait that nobody sends on",
             [](shard& of, undone& after) {
                 detail::mailbox<>& box = *of.outgoing_[1].box.load();
                 const auto all = std::make_shared<std::vector<std::unique_ptr<detail::work>>>();
                 while (!box.congested()) {
                     box.post(*all->emplace_back(std::make_unique<detail::work>(&do_nothing)));
                 }
                 after.then([&box, all] {
                     while (box.flush()) box.consume([](detail::work&) {});
                 });
             }},
            {"a shard is to be sent what there is not",
             [](shard& of, undone& after) {
                 of.dirty_.push_back(1);
                 after.then([&of] { of.dirty_.pop_back(); });
             }},
            {"a shard has messages that wait, and none to send",
             [](shard& of, undone& after) { after.set(of.congested_, true); }},
        };
    }
    static std::vector<defect<shard>> of_shards() {
        return {
            {"a turn has more hits left than it began with",
             [](shard& of, undone& after) { after.set(of.hits_left_, 5000); }},
            {"a shard is held and its engine may end",
             [](shard& of, undone& after) { after.set(of.holds_, 1); }},
            {"waits do not stand in the order in which they began",
             [](shard& of, undone& after) {
                 static wait first;
                 static wait second;
                 first.begin(nullptr, io::time_point::max());
                 of.waits_.push_back(first);
                 of.waits_.push_back(second);
                 after.then([] { first.unlink(), second.unlink(); });
             }},
            {"a shard counts down to its end before it stops",
             [](shard& of, undone& after) { after.set(of.stop_deadline_, of.now()); }},
            {"a shard has ended and still runs functions",
             [](shard& of, undone& after) { after.set(of.ended_, true); }},
            {"a shard owes operations and was not given up",
             [](shard& of, undone& after) { after.set(of.owed_, "1 read"); }},
        };
    }
    static std::vector<defect<shard>> of_stopping() {
        return {{"a stop was not told to all who listen", [](shard& of, undone& after) {
                     static listener late;
                     of.stop_listeners_.push_back(late);
                     after.then([] { late.unlink(); });
                 }}};
    }
};

}  // namespace leat

using namespace leat;
using broken = detail::tampering;

namespace {
const auto fault_of = [](const auto& of) { return of.fault(); };
}  // namespace

BOOST_AUTO_TEST_CASE(mailboxes_and_inboxes) {
    const auto all = std::make_unique<broken::box>();
    detail::work first{&do_nothing};
    detail::work second{&do_nothing};
    all->post(first);
    all->post(second);
    BOOST_TEST(all->flush());
    check_defects(*all, [](const auto& of) { return of.fault_at_sender(); }, broken::of_senders());
    check_defects(
        *all, [](const auto& of) { return of.fault_at_receiver(); }, broken::of_receivers());
    detail::inbox<> from_outside;
    check_defects(from_outside, fault_of, broken::of_inboxes());
}

BOOST_AUTO_TEST_CASE(frames_and_outcomes) {
    broken::frames pool;
    check_defects(pool, fault_of, broken::of_frames());
    detail::outcome_state<int> ended;
    ended.set_value(1);
    check_defects(ended, fault_of, broken::of_outcomes());
}

BOOST_AUTO_TEST_CASE(rooms_of_connections) {
    stepped all{1};
    broken::room of{all.engine.at(0).connections()};
    for (detail::connection_place* const one : {&of.first, &of.second}) {
        of.of.enter();
        of.of.idle(*one);
    }
    check_defects(of, [](const broken::room& room) { return room.of.fault(); }, broken::of_rooms());
    of.of.leave(&of.first);
    of.of.leave(&of.second);
}

BOOST_AUTO_TEST_CASE(listening_sockets) {
    stepped all{1};
    all.on(0, [&] {
        broken::acceptor of{all.engine.at(0), ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        check_defects(
            of, [](const broken::acceptor& one) { return one.of->fault(); },
            broken::of_acceptors());
    });
}

BOOST_AUTO_TEST_CASE(lines) {
    stepped all{1};
    all.on(0, [] {
        broken::line of;
        of.of.push_back(of.one);
        check_defects(
            of, [](const broken::line& one) { return one.of.fault(); }, broken::of_lines());
        static_cast<void>(of.of.pop_front());
    });
}

BOOST_AUTO_TEST_CASE(shards) {
    stepped all{2};
    detail::work greeting{&do_nothing};
    all.on(0, [&] { this_shard().send(1, greeting); });
    all.engine.at(1).turn();
    check_defects(all.engine.at(0), fault_of, tampering::of_routes());
    check_defects(all.engine.at(0), fault_of, tampering::of_shards());
    all.engine.stop();
    all.engine.at(0).turn();
    check_defects(all.engine.at(0), fault_of, tampering::of_stopping());
}
