// Buffers, segments, the budget and registration.
#include "io_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <thread>

using namespace leat::io;
using namespace leat::io::test;

namespace {

constexpr std::size_t mebibyte = 1 << 20;

/// Keeps the registered buffers, or refuses them after so many.
class recording_backend final : public backend {
public:
    void submit(operation&) noexcept override {}
    void cancel(operation&) noexcept override {}
    std::size_t run(time_point) override { return 0; }
    void wake() noexcept override {}
    [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
    [[nodiscard]] boost::system::error_code register_buffer(
        unsigned index, std::span<std::byte> memory) noexcept override {
        ++calls;
        if (memory.empty()) {
            registered.erase(index);
            return {};
        }
        if (registered.size() >= most) {
            return leat::system_error_code(ENOMEM);
        }
        well = well && registered.try_emplace(index, memory).second;
        return {};
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return 0; }
    [[nodiscard]] std::string owed() const override { return {}; }
    [[nodiscard]] backend_statistics statistics() const override { return {}; }

    std::map<unsigned, std::span<std::byte>> registered;
    std::size_t most = 1000;
    unsigned calls = 0;
    bool well = true;
};

std::uintptr_t number(const std::byte* memory) {
    return reinterpret_cast<std::uintptr_t>(memory);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_is_unregistered_serves_on) {
    recording_backend through;
    buffer_arena arena({64 * mebibyte});
    arena.attach(through);
    std::byte* const first = arena.allocate(10 * mebibyte);
    BOOST_TEST(arena.buffer_index(first) >= 0);
    arena.unregister();
    BOOST_TEST(through.registered.empty());
    BOOST_TEST(arena.buffer_index(first) == -1);
    std::byte* const second = arena.allocate(10 * mebibyte);
    BOOST_TEST_REQUIRE(second != nullptr);
    BOOST_TEST(arena.buffer_index(second) == -1);
    BOOST_TEST(through.registered.empty());
    BOOST_TEST(arena.statistics().registered_bytes == 0U);
    BOOST_TEST(arena.statistics().registration_failures == 0U);
    arena.detach();
}

BOOST_AUTO_TEST_CASE(buffers_are_aligned_and_apart) {
    buffer_arena arena({64 * mebibyte});
    std::set<std::byte*> seen;
    for (const std::size_t size : {4096UL, 5000UL, 65536UL, 2 * mebibyte, 10 * mebibyte}) {
        for (int i = 0; i < 3; ++i) {
            std::byte* const memory = arena.allocate(size);
            BOOST_TEST_REQUIRE(memory != nullptr);
            BOOST_TEST(number(memory) % (size % (2 * mebibyte) == 0 ? 2 * mebibyte : 4096) == 0U);
            std::memset(memory, 0xA5, size);
            BOOST_TEST(seen.insert(memory).second);
        }
    }
    const auto statistics = arena.statistics();
    BOOST_TEST(statistics.used_bytes == 3 * (4096 + 8192 + 65536 + 12 * mebibyte));
    BOOST_TEST(statistics.mapped_bytes <= 64 * mebibyte);
    BOOST_TEST(statistics.segments == statistics.hugetlb_segments +
                                          statistics.transparent_segments +
                                          statistics.plain_segments);
    BOOST_TEST(arena.allocate(0) == nullptr);
    BOOST_TEST(arena.allocate(~std::size_t{0}) == nullptr);
    buffer_arena boundless({~std::uint64_t{0}});
    BOOST_TEST(boundless.allocate(~std::size_t{0}) == nullptr);
    BOOST_TEST(boundless.allocate(~std::size_t{0} - 4096) == nullptr);
}

BOOST_AUTO_TEST_CASE(the_budget_is_kept) {
    constexpr std::size_t size = 10 * mebibyte;
    buffer_arena arena({35 * mebibyte});
    std::array<std::byte*, 3> taken{};
    for (std::byte*& memory : taken) {
        memory = arena.allocate(size);
        BOOST_TEST_REQUIRE(memory != nullptr);
    }
    BOOST_TEST(arena.allocate(size) == nullptr);
    // What is left serves smaller ones, to the last buffer.
    std::size_t small = 0;
    while (arena.allocate(mebibyte) != nullptr) {
        ++small;
    }
    BOOST_TEST(small == 5U);
    BOOST_TEST(arena.statistics().mapped_bytes == 35 * mebibyte);

    // The same size reuses its segment, other sizes get its room.
    arena.release(taken[0], size);
    BOOST_TEST(arena.statistics().mapped_bytes == 35 * mebibyte);
    BOOST_TEST(arena.allocate(size) == taken[0]);
    arena.release(taken[0], size);
    std::byte* const other = arena.allocate(4 * mebibyte);
    BOOST_TEST(other != nullptr);
    BOOST_TEST(arena.statistics().mapped_bytes <= 35 * mebibyte);
    BOOST_TEST(arena.allocate(size) == nullptr);
    arena.release(other, 4 * mebibyte);
    BOOST_TEST(arena.allocate(size) != nullptr);
}

BOOST_AUTO_TEST_CASE(a_budget_below_one_segment) {
    buffer_arena arena({256 * 1024});
    for (int i = 0; i < 4; ++i) {
        BOOST_TEST(arena.allocate(65536) != nullptr);
    }
    BOOST_TEST(arena.allocate(65536) == nullptr);
    BOOST_TEST(arena.allocate(mebibyte) == nullptr);
    buffer_arena none({0});
    BOOST_TEST(none.allocate(1) == nullptr);
}

BOOST_AUTO_TEST_CASE(a_budget_of_terabytes_costs_nothing_at_first) {
    buffer_arena arena({std::uint64_t{64} << 40, true, true});
    BOOST_TEST(arena.statistics().mapped_bytes == 0U);
    std::byte* const memory = arena.allocate(10 * mebibyte);
    if (memory != nullptr) {
        // At most 8192 segments of at most 1 GiB.
        BOOST_TEST(arena.statistics().mapped_bytes <= std::uint64_t{1} << 30);
        BOOST_TEST(arena.statistics().mapped_bytes > 900 * mebibyte);
    }
}

BOOST_AUTO_TEST_CASE(addresses_lead_to_registered_buffers) {
    recording_backend through;
    buffer_arena arena({64 * mebibyte});
    std::byte* const early = arena.allocate(2 * mebibyte);
    BOOST_TEST(arena.buffer_index(early) == -1);
    arena.attach(through);
    std::vector<std::byte*> taken{early};
    for (int i = 0; i < 10; ++i) {
        taken.push_back(arena.allocate(2 * mebibyte));
    }
    for (std::byte* const memory : taken) {
        for (std::byte* const within : {memory, memory + 12345, memory + 2 * mebibyte - 1}) {
            const int index = arena.buffer_index(within);
            BOOST_TEST_REQUIRE(index >= 0);
            const auto& span = through.registered.at(static_cast<unsigned>(index));
            BOOST_TEST((span.data() <= within && within < span.data() + span.size()));
        }
    }
    std::byte elsewhere{};
    BOOST_TEST(arena.buffer_index(&elsewhere) == -1);
    BOOST_TEST(arena.buffer_index(nullptr) == -1);
    BOOST_TEST(arena.statistics().registered_bytes == arena.statistics().mapped_bytes);

    // A segment that goes is unregistered first, and its index used again.
    const std::size_t before = through.registered.size();
    for (std::byte* const memory : taken) {
        arena.release(memory, 2 * mebibyte);
    }
    std::byte* const large = arena.allocate(60 * mebibyte);
    BOOST_TEST_REQUIRE(large != nullptr);
    BOOST_TEST(through.registered.size() < before);
    BOOST_TEST(arena.buffer_index(large) >= 0);
    BOOST_TEST(arena.buffer_index(large) < static_cast<int>(before));
    BOOST_TEST(through.well);

    arena.detach();
    BOOST_TEST(arena.buffer_index(large) == -1);
    BOOST_TEST(arena.statistics().registered_bytes == 0U);
    std::memset(large, 1, 4096);
    arena.release(large, 60 * mebibyte);
}

BOOST_AUTO_TEST_CASE(a_refused_registration_is_tried_no_more) {
    recording_backend through;
    through.most = 2;
    buffer_arena arena({64 * mebibyte});
    arena.attach(through);
    std::vector<std::byte*> taken;
    for (int i = 0; i < 10; ++i) {
        taken.push_back(arena.allocate(4 * mebibyte));
        BOOST_TEST_REQUIRE(taken.back() != nullptr);
    }
    BOOST_TEST(through.calls == 3U);
    BOOST_TEST(arena.statistics().registration_failures == 1U);
    BOOST_TEST(arena.statistics().registered_bytes == 8 * mebibyte);
    BOOST_TEST(arena.buffer_index(taken[1]) == 1);
    BOOST_TEST(arena.buffer_index(taken[2]) == -1);
    arena.detach();

    recording_backend unused;
    buffer_arena unregistered({64 * mebibyte, true, false});
    unregistered.attach(unused);
    BOOST_TEST(unregistered.allocate(mebibyte) != nullptr);
    BOOST_TEST(unused.calls == 0U);
    unregistered.detach();
}

BOOST_AUTO_TEST_CASE(what_no_ring_registers_is_served_too) {
    constexpr std::size_t size = 1024 * mebibyte + 4096;
    recording_backend through;
    buffer_arena arena({3 * size});
    arena.attach(through);
    std::byte* const large = arena.allocate(size);
    BOOST_TEST_REQUIRE(large != nullptr);
    BOOST_TEST(arena.buffer_index(large) == -1);
    BOOST_TEST(through.calls == 0U);
    large[size - 1] = std::byte{1};
    // The next one of a size that can be registered is.
    std::byte* const small = arena.allocate(mebibyte);
    BOOST_TEST(arena.buffer_index(small) == 0);
    arena.release(large, size);
    arena.detach();
}

BOOST_AUTO_TEST_CASE(memory_outlives_its_thread_and_backend) {
    auto arena = std::make_unique<buffer_arena>(arena_options{16 * mebibyte});
    std::byte* memory = nullptr;
    std::thread shard([&] {
        const auto through = make<uring_kind>();
        if (through) {
            arena->attach(*through);
        }
        memory = arena->allocate(2 * mebibyte);
        memory[5] = std::byte{7};
        if (through) {
            arena->detach();
        }
    });
    shard.join();
    BOOST_TEST((memory[5] == std::byte{7}));
    std::thread([&] { arena.reset(); }).join();
}

BOOST_AUTO_TEST_CASE(random_use) {
    recording_backend through;
    std::minstd_rand random(42);
    buffer_arena arena({40 * mebibyte, false, true});
    arena.attach(through);
    constexpr std::array<std::size_t, 5> sizes{4096, 12288, 65536, mebibyte, 10 * mebibyte};
    std::vector<std::pair<std::byte*, std::size_t>> taken;
    std::uint64_t used = 0;
    for (int i = 0; i < 20'000; ++i) {
        if (random() % 3 != 0 || taken.empty()) {
            const std::size_t size = sizes[random() % sizes.size()];
            std::byte* const memory = arena.allocate(size);
            if (memory != nullptr) {
                memory[0] = memory[size - 1] = static_cast<std::byte>(number(memory) >> 12);
                taken.emplace_back(memory, size);
                used += size;
            } else if (taken.size() > 20) {
                std::shuffle(taken.begin(), taken.end(), random);
                for (int j = 0; j < 15; ++j) {
                    arena.release(taken.back().first, taken.back().second);
                    used -= taken.back().second;
                    taken.pop_back();
                }
            }
        } else {
            std::swap(taken[random() % taken.size()], taken.back());
            const auto [memory, size] = taken.back();
            BOOST_TEST_REQUIRE((memory[0] == static_cast<std::byte>(number(memory) >> 12)));
            BOOST_TEST_REQUIRE((memory[size - 1] == memory[0]));
            arena.release(memory, size);
            used -= size;
            taken.pop_back();
        }
        const auto statistics = arena.statistics();
        BOOST_TEST_REQUIRE(statistics.used_bytes == used);
        BOOST_TEST_REQUIRE(statistics.mapped_bytes <= 40 * mebibyte);
        BOOST_TEST_REQUIRE(statistics.registered_bytes == statistics.mapped_bytes);
    }
    BOOST_TEST(through.well);
    for (const auto& [memory, size] : taken) {
        arena.release(memory, size);
    }
    BOOST_TEST(arena.statistics().used_bytes == 0U);
    arena.detach();
}
