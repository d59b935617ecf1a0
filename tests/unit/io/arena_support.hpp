// What the tests of arenas share.
#pragma once

#include "io_support.hpp"

#include <leat/io/detail/buffer_arena.hpp>

#include <map>
#include <span>

namespace leat::io::test {

inline constexpr std::size_t kibibyte = 1 << 10;
inline constexpr std::size_t mebibyte = 1 << 20;

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
            if (keeps) return leat::system_error_code(EINVAL);
            registered.erase(index);
            return {};
        }
        if (registered.size() >= most) return leat::system_error_code(ENOMEM);
        well = well && registered.try_emplace(index, memory).second;
        return {};
    }
    [[nodiscard]] std::size_t in_flight() const noexcept override { return 0; }
    [[nodiscard]] std::string owed() const override { return {}; }
    [[nodiscard]] backend_statistics statistics() const override { return {}; }

    std::map<unsigned, std::span<std::byte>> registered;
    std::size_t most = 1000;
    unsigned calls = 0;
    bool keeps = false;  ///< clears nothing
    bool well = true;
};

/// Has what is mapped touched, and registered where it can be.
inline void prepare_mapped(buffer_arena& arena) {
    const auto all = [&] {
        const arena_statistics found = arena.statistics();
        return found.registered_bytes == found.mapped_bytes;
    };
    while (arena.unprepared() && !all()) arena.prepare();
}

inline std::uintptr_t number(const std::byte* memory) {
    return reinterpret_cast<std::uintptr_t>(memory);
}

}  // namespace leat::io::test
