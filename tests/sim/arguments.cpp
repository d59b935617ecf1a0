// The command line of leat-sim.
#include "arguments.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace leat::sim {

namespace {

constexpr std::string_view before_faults =
    R"(Runs leat's engine and cache, unchanged, in simulation: one thread, virtual time, shards
stepped in an order that a seed decides, a device that is late, falls short, fails or never answers,
and peers at the other end of sockets that do the same. A seed replays a run exactly.

usage: leat-sim [OPTION]...

  --seeds A..B     run these seeds (default 1..1000); ends at the first that fails
  --seed N         run one
  --trace          print what happens: virtual time in ns, shard, event, numbers
  --hashes         print each seed's trace hash: the same seed has the same hash, always
  --failures N     end after N seeds have failed (default 1)
  --jobs N         run so many processes (default 1)
  --without LIST   leave out kinds of faults, separated by commas
  --only LIST      of a seed's actions do only these, by number: 3,8,10-14
  --no-shorten     do not look for the shortest run that still fails

A seed that fails is run again with ever fewer actions and kinds of faults, and the shortest run
that still fails is printed as a command. Begin with that command's trace: the last lines are
nearest to the fault. A seed chooses some of these kinds of faults:

)";

constexpr std::string_view after_faults = R"(
Checked: each coroutine is resumed once, on its shard; every byte of every slice is of the version
that was opened; no byte of a chunk is read twice; errors are those that a fault called for;
cancelled and limited requests end, and so do a stream's operations at its deadline; a peer gets the
bytes of one version in order, and a stream those of the peer, as many as it tells; no wake-up is
lost; memory stays within the budget; and when all is over no pin, request, frame, descriptor,
mapping or block of memory is left.

  leat-sim --seeds 1..2000               before a change is committed
  leat-sim --seed 17 --trace | tail -50  what led to the failure of a seed
  leat-sim --seed 17 --without late      whether lateness matters
)";

void help() {
    std::fwrite(before_faults.data(), 1, before_faults.size(), stdout);
    for (unsigned i = 0; i < fault_count; ++i) {
        const auto kind = static_cast<fault>(i);
        std::printf("  %-16s %s\n", std::string{name_of(kind)}.c_str(),
                    std::string{description_of(kind)}.c_str());
    }
    std::fwrite(after_faults.data(), 1, after_faults.size(), stdout);
    std::exit(0);
}

[[noreturn]] void refuse_argument(const std::string& what) {
    std::fprintf(stderr, "leat-sim: %s; leat-sim --help tells what there is\n", what.c_str());
    std::exit(2);
}

std::uint64_t number(std::string_view text, const std::string& option) {
    std::uint64_t value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc{} || end != text.data() + text.size())
        refuse_argument(option + " wants a number, not \"" + std::string{text} + '"');
    return value;
}

std::set<unsigned> numbers(std::string_view text, const std::string& option) {
    std::set<unsigned> all;
    while (!text.empty()) {
        const std::string_view item = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), item.size() + 1));
        const std::size_t dash = item.find('-');
        const std::uint64_t first = number(item.substr(0, dash), option);
        const std::uint64_t last =
            dash == std::string_view::npos ? first : number(item.substr(dash + 1), option);
        for (std::uint64_t i = first; i <= last && i < 1'000'000; ++i)
            all.insert(static_cast<unsigned>(i));
    }
    return all;
}

void set_seeds(campaign_options& to, std::string_view text, const std::string& option) {
    const std::size_t dots = text.find("..");
    to.first = number(text.substr(0, dots), option);
    to.last = dots == std::string_view::npos ? to.first : number(text.substr(dots + 2), option);
    if (to.first > to.last) refuse_argument("--seeds wants A..B with A not above B");
}

void set_value(arguments& to, const std::string& option, std::string_view value) {
    campaign_options& campaign = to.campaign;
    if (option == "--seeds") {
        set_seeds(campaign, value, option);
    } else if (option == "--seed") {
        campaign.first = campaign.last = number(value, option);
        campaign.hashes = true;
    } else if (option == "--failures") {
        campaign.most_failures = static_cast<unsigned>(number(value, option));
    } else if (option == "--jobs") {
        campaign.jobs = static_cast<unsigned>(number(value, option));
        if (campaign.jobs == 0 || campaign.jobs > 256) refuse_argument("--jobs wants 1 to 256");
    } else if (option == "--without") {
        const std::string unknown = add_named(campaign.chosen.without, value);
        if (!unknown.empty()) refuse_argument("there is no kind of fault named \"" + unknown + '"');
    } else if (option == "--only") {
        campaign.chosen.all = false;
        campaign.chosen.actions = numbers(value, option);
    } else {
        refuse_argument("there is no option " + option);
    }
}

}  // namespace

arguments parse(int count, char** values) {
    arguments given;
    given.campaign.last = 1000;
    for (int i = 1; i < count; ++i) {
        std::string option = values[i];
        if (option == "--help" || option == "-h") help();
        if (option == "--trace") {
            given.campaign.trace = true;
        } else if (option == "--hashes") {
            given.campaign.hashes = true;
        } else if (option == "--no-shorten") {
            given.shorten = false;
        } else if (const std::size_t sign = option.find('='); sign != std::string::npos) {
            const std::string value = option.substr(sign + 1);
            set_value(given, option.substr(0, sign), value);
        } else if (i + 1 < count) {
            set_value(given, option, values[++i]);
        } else {
            refuse_argument("there is no option " + option + ", or it wants a value");
        }
    }
    if (given.campaign.trace && given.campaign.first != given.campaign.last)
        refuse_argument("--trace is for one seed");
    if (given.campaign.trace) given.shorten = false;
    return given;
}

std::string text_of(const selection& chosen) {
    std::string text;
    if (const std::string names = chosen.without.text(); !names.empty())
        text += " --without " + names;
    if (chosen.all) return text;
    std::string list;
    for (auto one = chosen.actions.begin(); one != chosen.actions.end();) {
        const unsigned first = *one;
        unsigned last = first;
        while (++one != chosen.actions.end() && *one == last + 1) last = *one;
        list += (list.empty() ? "" : ",") + std::to_string(first);
        if (last > first) list += "-" + std::to_string(last);
    }
    return text + " --only " + (list.empty() ? "1000000" : list);
}

}  // namespace leat::sim
