// Awaits as many tasks that end at once as it is told to, and does nothing else that depends on
// their number.
#include "small_engine.hpp"

#include <leat/engine/spawned.hpp>

#include <cstdint>
#include <cstdlib>

using namespace leat;
using namespace leat::literals;

namespace {

[[gnu::noinline]] task<std::uint64_t> one(std::uint64_t value) {
    co_return value;
}

task<std::uint64_t> many(std::uint64_t count) {
    std::uint64_t sum = 0;
    for (std::uint64_t n = 0; n < count; ++n) sum += co_await one(n);
    co_return sum;
}

}  // namespace

int main(int count, char** values) {
    if (count != 2) return 2;
    // Nothing that waits busily: instructions are to depend on the tasks alone.
    engine_options options = test::small_engine(1, 1_MiB, 64_KiB, io::backend_kind::thread);
    options.spin = std::chrono::microseconds{0};
    engine owner{options};
    return owner.run(many(std::strtoull(values[1], nullptr, 10))) == 0 ? 1 : 0;
}
