// Chunks asked for by a guest: one, or several, grouped by the shards that own them.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/chunk_request.hpp>
#include <leat/cache/detail/guest_request.hpp>

#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace leat::detail {

class guest_chunk_visit;

/// One chunk of a guest's request. The manager may be destroyed meanwhile: it is only a name here,
/// which the file's record proves alive.
struct guest_piece {
    struct waiting final : chunk_request, detail::listed_wait {
        explicit waiting(guest_piece& of) noexcept : piece(&of) {}
        [[nodiscard]] where awaits() const noexcept override {
            return place_of(*this, piece->config);
        }
        guest_piece* piece;
    };

    guest_piece(const manager_core& manager, const chunk_config& config_) noexcept
        : config(config_), place(manager.locate(config_.offset)) {}

    chunk_config config;
    chunk_place place;
    guest_chunk_visit* visit = nullptr;
    guest_piece* next = nullptr;  ///< of the same visit

    // The outcome: an entry, pinned, or an error.
    entry* pinned = nullptr;
    boost::system::error_code code;

    std::optional<waiting> wait;  ///< engaged only by a miss

    /// The slice, which takes over the pin; once.
    [[nodiscard]] slice take() noexcept {
        return {*std::exchange(pinned, nullptr), place.in, config.size};
    }
};

/// The pieces that one shard serves: hits at once, the others as they come.
class guest_chunk_visit : public guest_visit {
public:
    using guest_visit::guest_visit;

    void add(guest_piece& piece) noexcept;
    void begin(const manager_core& manager) noexcept;
    void withdraw() noexcept;
    void turn_away() noexcept;

private:
    static bool hit(shard_cache& cache, const manager_core& manager, guest_piece& piece) noexcept;
    void miss(shard_cache& cache, const manager_core& manager, guest_piece& piece) noexcept;
    static void landed(chunk_request& request) noexcept;
    void piece_ended() noexcept;

    guest_piece* pieces_ = nullptr;
    guest_piece** last_ = &pieces_;
    unsigned pending_ = 0;
};

/// One chunk. A hit is found where the chunk lives, or, from a shard of the engine, by its lease.
class guest_chunk : public guest_request {
public:
    guest_chunk(const chunk_manager& manager,
                const chunk_config& config,
                std::byte* = nullptr) noexcept;

    /// After complete().
    [[nodiscard]] std::pair<boost::system::error_code, slice> take() noexcept;
    /// Before start(): failure() will be asked for, perhaps after the manager's end.
    void keep_names() noexcept { cache_ = manager_.cache.lock(); }
    /// After complete(): `code`, and what had been asked for.
    [[nodiscard]] error failure(boost::system::error_code code) const {
        return cache_->failure(piece_.config, code);
    }

protected:
    ~guest_chunk();

private:
    void begin(guest_visit& visit) noexcept final;
    void withdraw(guest_visit& visit) noexcept final;
    void turn_away(guest_visit& visit) noexcept final;

    const manager_core& manager_;
    std::shared_ptr<shared_cache> cache_;  // for the name of a file that fails
    guest_piece piece_;
    guest_chunk_visit visit_;
};

/// Several chunks: one visit to each shard that owns some of them, or only to this shard.
class guest_chunks : public guest_request {
public:
    using results = std::vector<result<slice>>;

    /// Bytes that the constructor is to be given.
    [[nodiscard]] static std::size_t room(const chunk_manager& manager,
                                          std::span<const chunk_config> configs) noexcept;
    /// `memory` is aligned as by operator new and lives as long as this. Throws std::bad_alloc.
    guest_chunks(const chunk_manager& manager,
                 std::span<const chunk_config> configs,
                 std::byte* memory);

    /// After complete(): the outcomes in the order of the request. The code is an error if the
    /// engine was stopped or the request cancelled before every piece had its own.
    [[nodiscard]] std::pair<boost::system::error_code, results> take() noexcept;
    void keep_names() const noexcept {}
    /// After complete(): the outcomes say where each arose.
    [[nodiscard]] static error failure(boost::system::error_code code) noexcept {
        return {code, {.doing = activity::get_chunk}};
    }

protected:
    ~guest_chunks();

private:
    void begin(guest_visit& visit) noexcept final;
    void withdraw(guest_visit& visit) noexcept final;
    void turn_away(guest_visit& visit) noexcept final;
    guest_chunk_visit& visit_to(shard& where) noexcept;

    const manager_core& manager_;
    std::span<guest_piece> pieces_;
    std::span<guest_chunk_visit> visits_;
    std::shared_ptr<shared_cache> cache_;  // for the names of files that fail
    results results_;                      // its room is reserved
};

}  // namespace leat::detail
