// Sizes, CPU lists and options: whatever is given is taken in its meaning, or refused.
#include "input.hpp"

#include <leat/cache/detail/entry_table.hpp>
#include <leat/engine/options.hpp>

#include <algorithm>

using namespace leat;
using leat::test::input;
using leat::test::require;

namespace {

/// The size again, read slowly: digits, spaces, a unit.
bool is_size(std::string_view text, std::uint64_t& value) {
    detail::wide_integer number = 0;
    std::size_t at = 0;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
        number = number * 10 + static_cast<unsigned>(text[at] - '0');
        if (number >> 64 != 0) return false;
    }
    if (at == 0) return false;
    while (at < text.size() && text[at] == ' ') ++at;
    const std::string_view unit = text.substr(at);
    if (!unit.empty() && unit != "B") {
        const std::size_t power = std::string_view{"KMGTP"}.find(unit[0] == 'k' ? 'K' : unit[0]);
        const std::string_view rest = unit.substr(1);
        if (power == std::string_view::npos) return false;
        if (!rest.empty() && rest != "B" && rest != "iB") return false;
        for (std::size_t i = 0; i <= power; ++i) {
            number *= rest == "B" ? 1000 : 1024;
            if (number >> 64 != 0) return false;
        }
    }
    value = static_cast<std::uint64_t>(number);
    return true;
}

void check_size(std::string_view text) {
    const auto parsed = parse_size(text);
    std::uint64_t wanted = 0;
    const bool good = is_size(text, wanted);
    require(parsed.has_value() == good, "what is a size");
    if (!good) return;
    require(*parsed == wanted, "the value of a size");
    const auto again = parse_size(format_size(wanted));
    // Rounded ones have a point, which is not read.
    require(!again || *again == wanted, "a size written and read again");
}

void check_cpu_list(std::string_view text) {
    const auto parsed = parse_cpu_list(text);
    if (!parsed) return;
    require(!parsed->empty(), "an empty list of CPUs");
    std::string again;
    for (const unsigned cpu : *parsed) {
        require(cpu < 65536, "the number of a CPU");
        again += (again.empty() ? "" : ",") + std::to_string(cpu);
    }
    const auto second = parse_cpu_list(again);
    require(second.has_value() && *second == *parsed, "a list written and read again");
}

void check_resolve(input& from) {
    engine_options options;
    options.shards = static_cast<unsigned>(from.number());
    options.pin = from.byte() % 2 == 0;
    options.hosted = from.byte() % 8 == 0;
    options.memory = from.number();
    options.chunk_size = from.byte() % 4 == 0 ? from.number() : 64 * KiB * from.number();
    options.spin = std::chrono::microseconds{static_cast<std::int64_t>(from.number())};
    options.stop_timeout = std::chrono::milliseconds{static_cast<std::int64_t>(from.number())};
    options.stall = std::chrono::milliseconds{static_cast<std::int64_t>(from.number())};
    for (std::uint8_t count = from.byte() % 5; count > 0; --count) {
        options.cpus.push_back(static_cast<unsigned>(from.number()));
    }
    try {
        const engine_options made = resolve(options);
        require(made.shards >= 1 && made.shards <= 1024, "the number of shards");
        require(options.shards == 0 || made.shards == options.shards, "the shards asked for");
        require(options.memory == 0 || made.memory == options.memory, "the memory asked for");
        require(made.chunk_size == options.chunk_size, "the chunk size asked for");
        require(made.memory / made.shards / 2 >= made.chunk_size, "two chunks a shard");
        require(!made.pin || made.cpus.size() == made.shards, "a CPU a shard");
    } catch (const system_error& refused) {
        require(refused.code() == errc::invalid_option || refused.code() == errc::budget_too_small,
                "why options are refused");
        require(std::string_view{refused.what()}.size() > 20, "the sentence of a refusal");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    input from{data, size};
    switch (from.byte() % 3) {
        case 0:
            check_size(from.rest());
            break;
        case 1:
            check_cpu_list(from.rest());
            break;
        default:
            check_resolve(from);
    }
    return 0;
}
