// A function that tells what became of it.
#pragma once

#include <atomic>
#include <utility>

namespace leat::test {

/// What became of witnesses. Any thread.
struct tally {
    std::atomic<int> called{0};
    std::atomic<int> dropped{0};
};

/// To be called, with whatever there is, or destroyed: once.
class witness {
public:
    explicit witness(tally& counts) noexcept : counts_(&counts) {}
    witness(witness&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)) {}
    witness& operator=(witness&&) = delete;
    ~witness() {
        if (counts_ != nullptr) ++counts_->dropped;
    }
    template <class... Arguments>
    void operator()(Arguments&&...) {
        ++std::exchange(counts_, nullptr)->called;
    }

private:
    tally* counts_;
};

}  // namespace leat::test
