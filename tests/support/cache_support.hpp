// What the tests of the cache share: scripts, and requests as tasks.
#pragma once

#include "scripted_source.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/sleep.hpp>

#include <memory>
#include <thread>

namespace leat::test {

/// A script of a file of `size` bytes.
[[nodiscard]] inline std::shared_ptr<script> script_of(std::uint64_t size) {
    auto made = std::make_shared<script>();
    made->size = size;
    return made;
}

[[nodiscard]] inline task<slice> get(const chunk_manager& manager, chunk_config config) {
    co_return co_await manager.get_chunk(config);
}

/// The code of the error that a request ends with, if it does.
[[nodiscard]] inline task<boost::system::error_code> code_of(const chunk_manager& manager,
                                                             chunk_config config) {
    as_result asking{manager.get_chunk(config)};
    const result<slice> got = co_await asking;
    co_return got ? boost::system::error_code{} : got.error().code;
}

/// As code_of(), from a thread that is no shard.
[[nodiscard]] inline boost::system::error_code ask(engine& owner,
                                                   const chunk_manager& manager,
                                                   chunk_config config) {
    return owner.run(code_of(manager, config));
}

/// Returns when `count` requests wait for a buffer; they must have been spawned.
inline void wait_for_waiting(engine& owner, chunk_manager& manager, std::uint64_t count) {
    while (owner.run(manager.statistics()).waiting != count) std::this_thread::yield();
}

}  // namespace leat::test
