// Defaults that fit the machine, checks of what was given, and the parsing of sizes and CPU lists.
#include "control_groups.hpp"

#include <leat/engine/options.hpp>
#include <leat/io/detail/threads.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <limits>
#include <string>

namespace leat {

namespace {

/// what() of this error is the sentence and nothing else.
class refusal : public system_error {
public:
    refusal(errc code, std::string_view sentence)
        : system_error(error{code, {}}), sentence_(sentence) {}
    const char* what() const noexcept override { return sentence_.c_str(); }

private:
    std::string sentence_;
};

constexpr unsigned maximum_shards = 1024;
constexpr unsigned maximum_cpus = 65536;
constexpr std::uint64_t huge_page = 2 * MiB;

/// Of a line of /proc/meminfo, in bytes.
std::uint64_t machine_memory(std::string_view name) {
    std::ifstream lines{"/proc/meminfo"};
    std::string word;
    std::string unit;
    for (std::uint64_t value = 0; lines >> word >> value; std::getline(lines, unit)) {
        if (word == name) return value * KiB;
    }
    return std::numeric_limits<std::uint64_t>::max();
}

std::string list(const std::vector<unsigned>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t last = i;
        while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
        text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
        if (last > i) text += "-" + std::to_string(numbers[last]);
        i = last + 1;
    }
    return text;
}

void check_milliseconds(const std::string& name, time_span value) {
    if (value >= time_span{}) return;
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(value.nanoseconds());
    refuse(errc::invalid_option, "a " + name + " of " + std::to_string(ms.count()) +
                                     " ms is not allowed; it must not be negative");
}

void check_spin(time_span value) {
    if (value.unlimited() || (value >= time_span{} && value <= std::chrono::seconds{1})) return;
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(value.nanoseconds());
    refuse(errc::invalid_option, "a spin time of " + std::to_string(us.count()) +
                                     " us is not allowed; it must be from 0 to 1000000, or without "
                                     "limit");
}

void check_distinct(std::vector<unsigned> cpus) {
    std::sort(cpus.begin(), cpus.end());
    const auto twice = std::adjacent_find(cpus.begin(), cpus.end());
    if (twice == cpus.end()) return;
    refuse(errc::invalid_option, "CPU " + std::to_string(*twice) +
                                     " is listed twice; each shard is pinned to a CPU of its own");
}

void check_cpus(const engine_options& options, const std::vector<unsigned>& permitted) {
    if (options.hosted || !options.pin) {
        refuse(errc::invalid_option,
               "CPUs are listed (" + list(options.cpus) + ") to pin shards to, but " +
                   (options.hosted ? "a hosted engine pins none" : "pinning is turned off"));
    }
    check_distinct(options.cpus);
    for (const unsigned cpu : options.cpus) {
        if (std::find(permitted.begin(), permitted.end(), cpu) == permitted.end()) {
            refuse(errc::invalid_option, "CPU " + std::to_string(cpu) +
                                             " is not among those this process may use (" +
                                             list(permitted) + ")");
        }
    }
    if (options.shards != 0 && options.shards < options.cpus.size()) {
        refuse(errc::invalid_option,
               "for " + std::to_string(options.shards) + " shard" +
                   (options.shards == 1 ? "" : "s") + " " + std::to_string(options.cpus.size()) +
                   " CPUs are listed (" + list(options.cpus) + "); list one for each");
    }
}

void check_shards(std::size_t shards) {
    if (shards <= maximum_shards) return;
    refuse(errc::invalid_option, std::to_string(shards) + " shards are too many; at most " +
                                     std::to_string(maximum_shards) + " are allowed");
}

/// Afterwards `cpus` are those to choose from.
void resolve_cpus(engine_options& options) {
    const std::vector<unsigned> permitted = detail::usable_cpus();
    const bool given = !options.cpus.empty();
    if (given) check_cpus(options, permitted);
    check_shards(options.shards != 0 ? options.shards : options.cpus.size());
    // A quota makes the default smaller, but a user who names a number may exceed it; not the
    // affinity.
    if (!given) options.cpus = options.shards == 0 ? allowed_cpus() : permitted;
    if (options.pin && !options.hosted && options.shards > options.cpus.size()) {
        refuse(errc::invalid_option,
               std::to_string(options.shards) + " shards need as many CPUs, but " +
                   (given ? "the list given has " : "this process may use ") +
                   std::to_string(options.cpus.size()) + " (" + list(options.cpus) +
                   "); each shard is pinned to a CPU of its own");
    }
}

/// Pins shards where the user says to, or where they fill the machine: the first CPUs of many would
/// be where all small engines meet.
void resolve_pin(engine_options& options, bool given) {
    const bool fill = options.shards == detail::usable_cpus().size();
    options.pin = options.pin && !options.hosted && (given || fill);
    if (options.pin) options.cpus.resize(options.shards);
}

void resolve_memory(engine_options& options) {
    const std::uint64_t two_chunks = 2 * options.chunk_size;
    const bool memory_given = options.memory != 0;
    if (!memory_given) options.memory = default_memory(options.chunk_size);
    if (options.shards == 0) {
        const std::uint64_t fits = std::max<std::uint64_t>(1, options.memory / two_chunks);
        options.shards = static_cast<unsigned>(
            std::min<std::uint64_t>({options.cpus.size(), fits, maximum_shards}));
    }
    if (options.most_memory == 0) options.most_memory = options.memory;
    if (!memory_given && options.shards == 1 && options.memory < two_chunks) {
        refuse(errc::budget_too_small,
               "a quarter of the memory left here is " + format_size(options.memory) +
                   ", too little for two chunks of " + format_size(options.chunk_size) +
                   "; give a smaller chunk size");
    }
    check_memory(options, options.memory, two_chunks * options.shards);
    // The kernel would end this program for it, or another.
    const std::uint64_t left = options.touch_memory ? available_memory() : options.memory;
    if (options.memory > left) {
        refuse(errc::budget_too_small,
               "touch_memory takes all memory at once, " + format_size(options.memory) + ", and " +
                   format_size(left) + " is left here; give less memory, or no touch_memory");
    }
}

}  // namespace

void refuse(errc code, std::string_view sentence) {
    throw refusal(code, sentence);
}

void check_memory(const engine_options& options, std::uint64_t bytes, std::uint64_t least) {
    if (bytes < least) {
        refuse(errc::budget_too_small,
               "a memory budget of " + format_size(bytes) + " is too small for " +
                   std::to_string(options.shards) + " shard" + (options.shards == 1 ? "" : "s") +
                   ": each needs two chunks of " +
                   format_size(std::max(options.chunk_size, least / options.shards / 2)) + ", " +
                   format_size(least) + " in all");
    }
    if (bytes > options.most_memory) {
        refuse(errc::invalid_option, "a memory budget of " + format_size(bytes) +
                                         " is more than the " + format_size(options.most_memory) +
                                         " that most_memory allows");
    }
}

void check_chunk_size(std::uint64_t bytes) {
    if (bytes >= 64 * KiB && bytes <= GiB && bytes % (64 * KiB) == 0) return;
    refuse(errc::invalid_option,
           "a chunk size of " + std::to_string(bytes) +
               " bytes is not allowed; it must be a multiple of 64 KiB from 64 KiB to 1 GiB");
}

engine_options resolve(engine_options options) {
    check_chunk_size(options.chunk_size);
    check_spin(options.spin);
    if (const std::string fault = io::find_fault(options.backend); !fault.empty())
        refuse(errc::invalid_option, fault);
    check_milliseconds("stop timeout", options.stop_timeout);
    check_milliseconds("stall limit", options.stall);
    if (options.hosted && options.shards == 0) options.shards = 1;
    const bool cpus_given = !options.cpus.empty();
    resolve_cpus(options);
    resolve_memory(options);
    resolve_pin(options, cpus_given);
    return options;
}

boost::system::result<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{}) return make_error_code(errc::invalid_option);
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
    if (unit.empty() || unit == "B") return value;
    constexpr std::string_view prefixes = "KMGTP";
    const char letter = unit.front() == 'k' ? 'K' : unit.front();
    const std::size_t power = prefixes.find(letter);
    const std::string_view rest = unit.substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "iB" && rest != "B")) {
        return make_error_code(errc::invalid_option);
    }
    const std::uint64_t base = rest == "B" ? 1000 : 1024;
    for (std::size_t i = 0; i <= power; ++i) {
        if (value > std::numeric_limits<std::uint64_t>::max() / base)
            return make_error_code(errc::invalid_option);
        value *= base;
    }
    return value;
}

std::string format_size(std::uint64_t bytes) {
    constexpr std::array units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    std::size_t power = 0;
    std::uint64_t scale = 1;
    while (power + 1 < units.size() && bytes / scale >= 1024) {
        scale *= 1024;
        ++power;
    }
    std::array<char, 32> text{};
    const std::uint64_t rest = bytes % scale;
    if (rest == 0) {
        std::snprintf(text.data(), text.size(), "%llu %s",
                      static_cast<unsigned long long>(bytes / scale), units[power]);
    } else {
        const bool whole_tenths = rest * 10 % scale == 0;
        std::snprintf(text.data(), text.size(), whole_tenths ? "%.1f %s" : "%.2f %s",
                      static_cast<double>(bytes) / static_cast<double>(scale), units[power]);
    }
    return text.data();
}

boost::system::result<std::vector<unsigned>> parse_cpu_list(std::string_view text) {
    std::vector<unsigned> cpus;
    const auto number = [&](unsigned& value) {
        const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        return failure == std::errc{} && value < maximum_cpus;
    };
    do {
        unsigned first = 0;
        if (!number(first)) return make_error_code(errc::invalid_option);
        unsigned last = first;
        if (!text.empty() && text.front() == '-') {
            text.remove_prefix(1);
            if (!number(last) || last < first) return make_error_code(errc::invalid_option);
        }
        // More numbers than there are CPUs: one is listed twice.
        if (cpus.size() + (last - first) >= maximum_cpus)
            return make_error_code(errc::invalid_option);
        for (unsigned cpu = first; cpu <= last; ++cpu) cpus.push_back(cpu);
        if (text.empty()) return cpus;
        if (text.front() != ',') break;
        text.remove_prefix(1);
    } while (true);
    return make_error_code(errc::invalid_option);
}

std::vector<unsigned> allowed_cpus() {
    std::vector<unsigned> cpus = detail::usable_cpus();
    cpus.resize(std::max<std::size_t>(1, std::min(cpus.size(), detail::limits_of_groups().cpus)));
    return cpus;
}

std::uint64_t available_memory() {
    return std::min(machine_memory("MemAvailable:"), detail::limits_of_groups().memory_left);
}

std::uint64_t default_memory(std::uint64_t chunk_size) {
    const std::uint64_t available = available_memory();
    const std::uint64_t quarter = available / 4 / huge_page * huge_page;
    const std::uint64_t least = (2 * chunk_size + huge_page - 1) / huge_page * huge_page;
    return least <= available / 2 ? std::max(quarter, least) : quarter;
}

std::string doubt_about_memory(const engine_options& options) {
    const detail::group_limits groups = detail::limits_of_groups();
    const std::uint64_t machine = machine_memory("MemTotal:");
    if (options.memory <= std::min(groups.memory, machine)) return "";
    const bool by_group = groups.memory < machine;
    return "a memory budget of " + format_size(options.memory) + " is more than " +
           (by_group
                ? "the " + format_size(groups.memory) + " that " + groups.memory_file + " allows"
                : "the machine's memory of " + format_size(machine)) +
           ": the system will slow the program down or end it before all of it is used";
}

}  // namespace leat
