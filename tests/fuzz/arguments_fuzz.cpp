// The command line of leat-cat, an argument a line: taken, or refused with an exit code.
#include "arguments.hpp"
#include "input.hpp"

#include <algorithm>
#include <string>
#include <vector>

using leat::test::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view all = leat::test::input{data, size}.rest();
    std::vector<std::string> words{"leat-cat"};
    for (std::size_t at = 0; at <= all.size();) {
        const std::size_t end = std::min(all.find('\n', at), all.size());
        // As the kernel hands arguments over: they end at a NUL.
        words.emplace_back(std::string{all.substr(at, end - at)}.c_str());
        at = end + 1;
    }
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);

    const auto parsed =
        leat::cat::parse_arguments(static_cast<int>(words.size()), arguments.data());
    if (const auto* const ended = std::get_if<leat::apps::exit_code>(&parsed)) {
        require(*ended == leat::apps::exit_code::success || *ended == leat::apps::exit_code::usage,
                "the exit code of a command line");
        return 0;
    }
    const auto& given = std::get<leat::cat::arguments>(parsed);
    require(!given.files.empty(), "a command line without files");
    require(given.engine.shards <= 1024, "the number of shards");
    require(given.engine.spin >= leat::time_span{}, "a negative time");
    require(given.engine.stop_timeout >= leat::time_span{}, "a negative time");
    require(given.stats.empty() || given.stats == "text" || given.stats == "json", "--stats");
    return 0;
}
