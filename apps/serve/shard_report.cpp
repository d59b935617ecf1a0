// Looks for the oldest answers and the files asked for most.
#include "shard_report.hpp"

#include "shard_server.hpp"

#include <algorithm>

namespace leat::serve {

shard_report shard_server::report(std::size_t most) const {
    shard_report all;
    all.counters = counters_;
    all.open_files = files_.size();
    all.looks = files_.looks();
    all.files = files_.hottest(most);
    std::vector<const connection*> under_way;  // a heap, the youngest at its front
    const auto older = [](const connection* one, const connection* other) {
        return one->heard() < other->heard();
    };
    for (const connection& one : connections_) {
        if (!one.answering()) continue;
        ++all.answering;
        all.counters.body_bytes += one.gone_out();
        if (most == 0) continue;
        if (under_way.size() == most) {
            if (!older(&one, under_way.front())) continue;
            std::pop_heap(under_way.begin(), under_way.end(), older);
            under_way.pop_back();
        }
        under_way.push_back(&one);
        std::push_heap(under_way.begin(), under_way.end(), older);
    }
    std::sort_heap(under_way.begin(), under_way.end(), older);
    const io::time_point now = this_shard().now();
    for (const connection* const one : under_way) all.oldest.push_back(one->in_flight(now));
    return all;
}

}  // namespace leat::serve
