// The server that is administrated.
#pragma once

#include "serve/shard_server.hpp"
#include "serve/site.hpp"

#include <leat/engine/engine.hpp>
#include <leat/engine/per_shard.hpp>

namespace leat::serve {

/// All of it outlives whoever has this.
struct running_server {
    engine& cores;
    site& shared;
    per_shard<shard_server>& servers;
};

}  // namespace leat::serve
