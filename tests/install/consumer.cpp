// A user's program: five million awaits in one loop, which overflow the stack where symmetric
// transfer is a call.
#include <leat/leat.hpp>
#include <leat/version.hpp>

#include <string_view>

namespace {

leat::task<int> one() {
    co_return 1;
}

leat::task<long> sum(long count) {
    long total = 0;
    for (long i = 0; i < count; ++i) {
        const int value = co_await one();
        total += value;
    }
    co_return total;
}

}  // namespace

int main() {
    if (std::string_view{leat::library_version()} != LEAT_VERSION) return 2;
    constexpr long count = 5'000'000;
    leat::engine_options options;
    options.shards = 1;
    options.memory = 64u << 20;
    leat::engine engine{options};
    return engine.run(sum(count)) == count ? 0 : 1;
}
