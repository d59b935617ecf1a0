// leat-sim: engine and cache in simulation.
#include "arguments.hpp"
#include "campaign.hpp"

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>

using namespace leat::sim;

namespace {

void explain(const failure& failed, const arguments& from) {
    std::printf("seed %" PRIu64 " fails: %s\n", failed.seed, failed.text.c_str());
    if (!from.shorten) return;
    const selection least = shorten(failed.seed, from.campaign.chosen);
    const auto again = try_seed(failed.seed, least);
    std::printf("shortest run that still fails: leat-sim --seed %" PRIu64 "%s --trace\n",
                failed.seed, text_of(least).c_str());
    if (again && again->text != failed.text) std::printf("  there: %s\n", again->text.c_str());
}

}  // namespace

int main(int count, char** values) {
    const arguments given = parse(count, values);
    const auto begun = std::chrono::steady_clock::now();
    const std::vector<failure> failures = run_campaign(given.campaign);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
    for (const failure& failed : failures) explain(failed, given);
    const std::uint64_t seeds = given.campaign.last - given.campaign.first + 1;
    if (failures.empty()) {
        std::printf("%" PRIu64 " seed%s passed in %.1f s\n", seeds, seeds == 1 ? "" : "s",
                    taken.count());
    }
    return failures.empty() ? 0 : 1;
}
