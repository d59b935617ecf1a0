// The coroutine that walks the files.
#pragma once

#include "arguments.hpp"
#include "common/exit_code.hpp"
#include "hand_over.hpp"

#include <leat/cache/chunk_manager.hpp>

#include <string>

namespace leat::cat {

/// Puts the bytes of all files into a queue; complains about those that fail and goes on.
class reader {
public:
    /// The three must outlive it.
    reader(const arguments& given, chunk_manager& manager, hand_over& queue) noexcept
        : given_(given), manager_(manager), queue_(queue) {}

    /// Walks the files, until the end or until the queue is closed, then finishes it.
    [[nodiscard]] task<> read_all();
    /// Success, or how files have failed; valid after read_all().
    [[nodiscard]] apps::exit_code outcome() const noexcept { return outcome_; }

private:
    [[nodiscard]] task<> read_file(std::string path);
    void failed(const std::string& path, const std::exception_ptr& failure);

    const arguments& given_;
    chunk_manager& manager_;
    hand_over& queue_;
    apps::exit_code outcome_ = apps::exit_code::success;
};

}  // namespace leat::cat
