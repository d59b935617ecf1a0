// What the fuzzers share: bytes taken one after the other, and an end that libFuzzer sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

namespace leat::test {

/// Ends the fuzzer unless `holds`.
inline void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "broken: %s\n", what);
    std::abort();
}

/// Takes a fuzzer's bytes apart; 0 and "" once they are used up.
class input {
public:
    input(const std::uint8_t* data, std::size_t size) : left_(data, size) {}

    [[nodiscard]] bool empty() const { return left_.empty(); }
    std::uint8_t byte() {
        if (left_.empty()) return 0;
        const std::uint8_t first = left_.front();
        left_ = left_.subspan(1);
        return first;
    }
    /// Less than `limit`, which is at most 65536.
    std::uint32_t below(std::uint32_t limit) {
        const std::uint32_t high = limit > 256 ? byte() : 0;
        return (high << 8 | byte()) % limit;
    }
    std::uint64_t number() {
        std::uint64_t value = 0;
        for (std::uint8_t size = byte() % 9; size > 0; --size) value = value << 8 | byte();
        return value;
    }
    /// All that is left.
    [[nodiscard]] std::string_view rest() const {
        return {reinterpret_cast<const char*>(left_.data()), left_.size()};
    }

private:
    std::span<const std::uint8_t> left_;
};

}  // namespace leat::test
