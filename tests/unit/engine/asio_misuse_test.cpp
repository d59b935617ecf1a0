// Sockets and timers that are used on another shard than theirs.
#include "asio_support.hpp"
#include "misuse.hpp"

#include <leat/engine/asio/shard_timer.hpp>
#include <leat/engine/resume_on.hpp>

#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <optional>

BOOST_AUTO_TEST_SUITE(asio_misuse_test)

using namespace leat;
using namespace leat::test;
using namespace std::chrono_literals;

namespace {

/// What is made on shard 0.
struct objects {
    objects()
        : acceptor(shard_executor::current(), loopback()),
          stream(shard_executor::current()),
          closed(shard_executor::current()),
          timer(shard_executor::current(), 1h) {
        stream.open(tcp::v4());
    }
    tcp_acceptor acceptor;
    tcp_stream stream;
    tcp_stream closed;
    shard_timer timer;
};

using use = std::function<void(std::optional<objects>&)>;

constexpr auto nobody = [](auto&&...) {};

task<> use_on(unsigned shard, use what) {
    std::optional<objects> made{std::in_place};
    co_await resume_on(shard);
    what(made);
    co_await resume_on(0);
    made.reset();
}

/// Whether it is refused with words on shard 1 and on a thread that is no shard, and no misuse on
/// shard 0.
bool belongs_home(const char* words, const use& what) {
    const bool elsewhere = dies_saying(words, [&] {
        engine owner{options_of(2)};
        owner.run(use_on(1, what));
    });
    const bool outside = dies_saying(words, [&] {
        engine owner{options_of(1)};
        owner.run(use_on(0, [&](auto& made) { std::thread{[&] { what(made); }}.join(); }));
    });
    engine owner{options_of(1)};
    owner.run(use_on(0, what));
    return elsewhere && outside;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_stream_is_used_on_its_shard) {
    const char* const words = "a tcp_stream was used or destroyed on another thread";
    char byte = 0;
    const asio::mutable_buffer buffer(&byte, 1);
    for (const use& what : std::initializer_list<use>{
             [&](auto& made) { made->stream.async_read_some(buffer, nobody); },
             [&](auto& made) { made->stream.async_write_some(buffer, nobody); },
             [&](auto& made) { made->closed.async_read_some(buffer, nobody); },
             [&](auto& made) { made->closed.async_connect(loopback(1), nobody); },
             [&](auto& made) { made->stream.expires_after(1s); },
             [&](auto& made) { made->stream.cancel(); },
             [&](auto& made) { made->stream.close(); },
             [&](auto& made) { made->closed.open(tcp::v4()); },
             [&](auto& made) { ::close(made->stream.release()); },
             [&](auto& made) { tcp_stream{std::move(made->stream)}; },
         }) {
        BOOST_TEST(belongs_home(words, what));
    }
}

BOOST_AUTO_TEST_CASE(an_acceptor_is_used_on_its_shard) {
    const char* const words = "a tcp_acceptor was used or destroyed on another thread";
    for (const use& what : std::initializer_list<use>{
             [](auto& made) { made->acceptor.async_accept(nobody); },
             [](auto& made) { made->acceptor.cancel(); },
             [](auto& made) { made->acceptor.close(); },
             [](auto& made) { made->acceptor.listen(loopback()); },
             [](auto& made) { tcp_acceptor{std::move(made->acceptor)}; },
         }) {
        BOOST_TEST(belongs_home(words, what));
    }
}

BOOST_AUTO_TEST_CASE(a_timer_is_used_on_its_shard) {
    const char* const words = "a shard_timer was made, used or destroyed on another thread";
    for (const use& what : std::initializer_list<use>{
             [](auto& made) { made->timer.async_wait(nobody); },
             [](auto& made) { made->timer.cancel(); },
             [](auto& made) { made->timer.expires_after(1s); },
             [](auto& made) { shard_timer{made->timer.get_executor()}; },
         }) {
        BOOST_TEST(belongs_home(words, what));
    }
}

namespace {
task<> make_objects(std::unique_ptr<objects>& made) {
    made = std::make_unique<objects>();
    co_return;
}
}  // namespace

BOOST_AUTO_TEST_CASE(what_is_left_when_the_engine_has_ended_may_be_destroyed_anywhere) {
    std::unique_ptr<objects> before;
    std::unique_ptr<objects> after;
    {
        engine owner{options_of(1)};
        owner.run(make_objects(before));
        owner.run(make_objects(after));
        owner.stop();
        BOOST_TEST(!owner.join().code);
        before.reset();
    }
    after.reset();
}

BOOST_AUTO_TEST_SUITE_END()
