// Designs with a table behind locks, and a chain of managers by callback.
#include "compare/design.hpp"

#include <array>
#include <functional>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace leat::perf {

namespace {

using chunk_bytes = std::vector<std::byte>;
using chunk_table = std::unordered_map<std::uint32_t, std::shared_ptr<const chunk_bytes>>;

std::shared_ptr<const chunk_bytes> load(const chunk_store& from, std::uint32_t index) {
    const auto bytes = from.chunk(index);
    return std::make_shared<const chunk_bytes>(bytes.begin(), bytes.end());
}

chunk_table load_all(const chunk_store& from) {
    chunk_table all;
    for (std::uint32_t index = 0; index < from.chunks; ++index) all[index] = load(from, index);
    return all;
}

/// What most of them share: a loop over the pages.
template <class Derived>
class page_by_page : public design {
public:
    explicit page_by_page(const chunk_store& from) : from_(from) {}
    std::uint64_t request(std::span<const std::uint32_t> pages) override {
        std::uint64_t sum = 0;
        for (const std::uint32_t page : pages)
            sum += static_cast<Derived&>(*this).one(from_.chunk_of(page), from_.in_chunk(page));
        return sum;
    }

private:
    chunk_store from_;
};

/// One lock; the whole chunk is copied under it, and cut outside.
class lock_copy_chunk final : public page_by_page<lock_copy_chunk> {
public:
    explicit lock_copy_chunk(const chunk_store& from)
        : page_by_page(from), table_(load_all(from)) {}
    std::uint64_t one(std::uint32_t chunk, std::uint64_t in) {
        chunk_bytes copy;
        {
            const std::shared_lock lock{mutex_};
            copy = *table_.at(chunk);
        }
        const chunk_bytes cut(copy.data() + in, copy.data() + in + page_bytes);
        return first_word(cut.data());
    }

private:
    std::shared_mutex mutex_;
    chunk_table table_;
};

/// One lock; only the page is copied under it.
class lock_copy_page final : public page_by_page<lock_copy_page> {
public:
    explicit lock_copy_page(const chunk_store& from) : page_by_page(from), table_(load_all(from)) {}
    std::uint64_t one(std::uint32_t chunk, std::uint64_t in) {
        chunk_bytes cut;
        {
            const std::shared_lock lock{mutex_};
            const std::byte* const data = table_.at(chunk)->data() + in;
            cut.assign(data, data + page_bytes);
        }
        return first_word(cut.data());
    }

private:
    std::shared_mutex mutex_;
    chunk_table table_;
};

/// One lock; the chunk is shared by a counted pointer.
class lock_shared final : public page_by_page<lock_shared> {
public:
    explicit lock_shared(const chunk_store& from) : page_by_page(from), table_(load_all(from)) {}
    std::uint64_t one(std::uint32_t chunk, std::uint64_t in) {
        std::shared_ptr<const chunk_bytes> held;
        {
            const std::shared_lock lock{mutex_};
            held = table_.at(chunk);
        }
        return first_word(held->data() + in);
    }

private:
    std::shared_mutex mutex_;
    chunk_table table_;
};

/// As lock_shared, with a lock for each part of the table.
class striped_locks final : public page_by_page<striped_locks> {
public:
    explicit striped_locks(const chunk_store& from) : page_by_page(from) {
        for (std::uint32_t i = 0; i < from.chunks; ++i) stripe_of(i).table[i] = load(from, i);
    }
    std::uint64_t one(std::uint32_t chunk, std::uint64_t in) {
        stripe& mine = stripe_of(chunk);
        std::shared_ptr<const chunk_bytes> held;
        {
            const std::lock_guard lock{mine.mutex};
            held = mine.table.at(chunk);
        }
        return first_word(held->data() + in);
    }

private:
    struct alignas(64) stripe {
        std::mutex mutex;
        chunk_table table;
    };
    stripe& stripe_of(std::uint32_t chunk) { return stripes_[chunk % stripes_.size()]; }
    std::array<stripe, 64> stripes_;
};

/// Three managers, each asked by the one above with a callback; the last has the chunks.
class chain_callback final : public page_by_page<chain_callback> {
public:
    explicit chain_callback(const chunk_store& from) : page_by_page(from) {
        managers_[2].table = load_all(from);
        managers_[0].next = &managers_[1];
        managers_[1].next = &managers_[2];
    }
    std::uint64_t one(std::uint32_t chunk, std::uint64_t in) {
        std::uint64_t word = 0;
        managers_[0].get(chunk, [&](const std::shared_ptr<const chunk_bytes>& held) {
            word = first_word(held->data() + in);
        });
        return word;
    }

private:
    using callback = std::function<void(const std::shared_ptr<const chunk_bytes>&)>;
    struct manager {
        void get(std::uint32_t chunk, const callback& done) {
            std::shared_ptr<const chunk_bytes> held;
            {
                const std::shared_lock lock{mutex};
                const auto found = table.find(chunk);
                if (found != table.end()) held = found->second;
            }
            if (held) {
                done(held);
            } else {
                next->get(chunk, [done](const auto& given) { done(given); });
            }
        }
        std::shared_mutex mutex;
        chunk_table table;
        manager* next = nullptr;
    };
    std::array<manager, 3> managers_;
};

template <class Design>
std::unique_ptr<design> make(const chunk_store& chunks) {
    return std::make_unique<Design>(chunks);
}

constexpr std::array designs{
    named_design{"lock_copy_chunk", &make<lock_copy_chunk>},
    named_design{"lock_copy_page", &make<lock_copy_page>},
    named_design{"lock_shared", &make<lock_shared>},
    named_design{"striped_locks", &make<striped_locks>},
    named_design{"chain_callback", &make<chain_callback>},
};

}  // namespace

std::span<const named_design> lock_designs() noexcept {
    return designs;
}

}  // namespace leat::perf
