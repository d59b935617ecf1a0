// A server's counters as Prometheus has them.
#pragma once

#include "server_snapshot.hpp"

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>

#include <functional>
#include <utility>
#include <vector>

namespace leat::serve {

/// Names follow Prometheus's conventions: base units, counters end in _total. What did not answer
/// is left out; leat_shard_up tells which shards did.
[[nodiscard]] std::vector<prometheus::MetricFamily> families_of(const server_snapshot& of);

/// Makes the families at each scrape. No object of Prometheus is on a request's way.
class snapshot_collectable final : public prometheus::Collectable {
public:
    explicit snapshot_collectable(std::function<server_snapshot()> take) : take_(std::move(take)) {}
    [[nodiscard]] std::vector<prometheus::MetricFamily> Collect() const override {
        return families_of(take_());
    }

private:
    std::function<server_snapshot()> take_;
};

}  // namespace leat::serve
