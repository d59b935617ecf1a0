// The memory of frames is used again.
#include "engine_support.hpp"

#include <leat/engine/detail/frame_pool.hpp>

#include <boost/test/unit_test.hpp>

#include <cstring>
#include <thread>
#include <vector>

using namespace leat;
using leat::test::call;
using leat::test::options_of;

namespace {

/// Two shards of an engine that is not started, stepped here.
struct stepped {
    engine owner{options_of(2)};
    stepped() {
        for (unsigned i = 0; i < owner.shards(); ++i) owner.at(i).open();
    }
    void on(unsigned shard, std::function<void()> function) {
        call item{std::move(function)};
        owner.at(shard).schedule(item);
        owner.at(shard).turn();
    }
    std::int64_t balance(unsigned shard) { return owner.at(shard).statistics().frames; }
};

}  // namespace

BOOST_AUTO_TEST_CASE(frames_of_threads_that_are_no_shards_are_counted) {
    const std::int64_t before = detail::frame_pool::live();
    void* const frame = detail::frame_pool::allocate(100);
    BOOST_TEST(detail::frame_pool::live() == before + 1);
    detail::frame_pool::release(frame, 100);
    BOOST_TEST(detail::frame_pool::live() == before);
}

BOOST_AUTO_TEST_CASE(blocks_of_each_size_are_whole_and_separate) {
    stepped both;
    bool intact = true;
    both.on(0, [&] {
        for (int round = 0; round < 3; ++round) {
            std::vector<std::pair<void*, std::size_t>> frames;
            for (std::size_t size = 1; size < 5000; size += 37) {
                void* const frame = detail::frame_pool::allocate(size);
                std::memset(frame, static_cast<int>(size % 251), size);
                frames.emplace_back(frame, size);
            }
            for (const auto& [frame, size] : frames) {
                const auto* const bytes = static_cast<const unsigned char*>(frame);
                for (std::size_t i = 0; i < size; ++i) intact = intact && bytes[i] == size % 251;
                detail::frame_pool::release(frame, size);
            }
        }
    });
    BOOST_TEST(intact);
    BOOST_TEST(both.balance(0) == 0);
}

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITHOUT_RECYCLING
#endif
#endif
#ifndef WITHOUT_RECYCLING
BOOST_AUTO_TEST_CASE(a_freed_frame_serves_the_next_of_its_class) {
    stepped both;
    bool recycled = false;
    bool by_class = false;
    both.on(0, [&] {
        void* const first = detail::frame_pool::allocate(100);
        detail::frame_pool::release(first, 100);
        void* const other = detail::frame_pool::allocate(200);
        by_class = other != first;
        void* const second = detail::frame_pool::allocate(128);
        recycled = second == first;
        detail::frame_pool::release(second, 128);
        detail::frame_pool::release(other, 200);
    });
    BOOST_TEST(recycled);
    BOOST_TEST(by_class);
}
#endif

BOOST_AUTO_TEST_CASE(frames_may_be_freed_on_another_shard_or_thread) {
    const std::int64_t before = detail::frame_pool::live();
    {
        stepped both;
        std::vector<void*> frames;
        both.on(0, [&] {
            for (int i = 0; i < 5000; ++i) frames.push_back(detail::frame_pool::allocate(300));
        });
        BOOST_TEST(both.balance(0) == 5000);
        both.on(1, [&] {
            for (std::size_t i = 0; i < 2000; ++i) detail::frame_pool::release(frames[i], 300);
        });
        BOOST_TEST(both.balance(1) == -2000);
        std::thread foreign([&] {
            for (std::size_t i = 2000; i < 4000; ++i) detail::frame_pool::release(frames[i], 300);
        });
        foreign.join();
        both.on(0, [&] {
            for (std::size_t i = 4000; i < 5000; ++i) detail::frame_pool::release(frames[i], 300);
        });
        BOOST_TEST(both.balance(0) == 4000);
    }
    BOOST_TEST(detail::frame_pool::live() == before);
}
