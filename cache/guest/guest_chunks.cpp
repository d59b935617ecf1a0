// Groups the chunks that a guest asks for by owner, and visits each of these once.
#include <leat/cache/detail/guest_chunks.hpp>
#include <leat/cache/detail/manager_access.hpp>

#include <algorithm>
#include <new>

namespace leat::detail {

namespace {
std::size_t most_visits(const chunk_manager& manager, std::size_t configs) noexcept {
    return std::clamp<std::size_t>(configs, 1, manager_access::engine(manager).shards());
}

// Aligned as what lies behind it.
constexpr std::size_t bytes_of_pieces(std::size_t count) noexcept {
    static_assert(alignof(guest_chunk_visit) <= alignof(guest_piece));
    return count * sizeof(guest_piece);
}
}  // namespace

// A shard's part.

void guest_chunk_visit::add(guest_piece& piece) noexcept {
    piece.visit = this;
    *last_ = &piece;
    last_ = &piece.next;
}

void guest_chunk_visit::begin(const manager_core& manager) noexcept {
    pending_ = 1;  // until all have been asked for
    shard_cache& cache = shard_cache::current();
    if (where().engine().stopping()) {
        turn_away();
    } else {
        for (guest_piece* piece = pieces_; piece != nullptr; piece = piece->next) {
            if (!hit(cache, manager, *piece)) miss(cache, manager, *piece);
        }
    }
    piece_ended();
}

bool guest_chunk_visit::hit(shard_cache& cache,
                            const manager_core& manager,
                            guest_piece& piece) noexcept {
    const chunk_config& wanted = piece.config;
    piece.pinned =
        cache.hit(manager, wanted.file.number, piece.place, wanted.size, cache.home(), wanted.hint);
    if (piece.pinned == nullptr) return false;
    if (cache.log().records(manager))
        cache.log().hit(wanted.file.number, wanted.offset, wanted.size, wanted.hint);
    (void)cache.home().spend_hit();  // counts it; others go first in any case
    return true;
}

void guest_chunk_visit::miss(shard_cache& cache,
                             const manager_core& manager,
                             guest_piece& piece) noexcept {
    stay();
    if (where().engine().stopping()) {  // since before it stayed: the other shards may have ended
        piece.code = errc::stopped;
        return;
    }
    guest_piece::waiting& wait = piece.wait.emplace(piece);
    wait.done = &landed;
    wait.size = piece.config.size;
    wait.patience = patience_of(piece.config.hint);
    wait.given = piece.config.hint;
    ++pending_;
    where().list_wait(wait, nullptr);
    if (cache.request(wait, piece.config.file.number, piece.config.offset, manager)) return;
    --pending_;
    piece.code = wait.code;
    piece.wait.reset();
}

void guest_chunk_visit::landed(chunk_request& request) noexcept {
    auto& wait = static_cast<guest_piece::waiting&>(request);
    wait.leave_list();
    guest_piece& piece = *wait.piece;
    piece.pinned = wait.pinned;
    piece.code = wait.code;
    piece.visit->piece_ended();
}

void guest_chunk_visit::piece_ended() noexcept {
    if (--pending_ == 0) end();
}

void guest_chunk_visit::withdraw() noexcept {
    ++pending_;  // a request may end inside its cancellation
    for (guest_piece* piece = pieces_; piece != nullptr; piece = piece->next) {
        if (piece->wait && piece->pinned == nullptr && !piece->code)
            shard_cache::current().cancel(*piece->wait);
    }
    piece_ended();
}

void guest_chunk_visit::turn_away() noexcept {
    for (guest_piece* piece = pieces_; piece != nullptr; piece = piece->next)
        piece->code = errc::stopped;
}

// One chunk.

guest_chunk::guest_chunk(const chunk_manager& manager,
                         const chunk_config& config,
                         std::byte*) noexcept
    : guest_request(manager_access::engine(manager)),
      manager_(manager_access::core(manager)),
      piece_(manager_access::core(manager), config),
      visit_(*this, place(manager_access::engine(manager), manager.owner(config))) {
    visit_.add(piece_);
    guest_request::add(visit_);
}

guest_chunk::~guest_chunk() {
    if (piece_.pinned != nullptr) const slice unused = piece_.take();
}

void guest_chunk::begin(guest_visit&) noexcept {
    visit_.begin(manager_);
}

void guest_chunk::withdraw(guest_visit&) noexcept {
    visit_.withdraw();
}

void guest_chunk::turn_away(guest_visit&) noexcept {
    visit_.turn_away();
}

std::pair<boost::system::error_code, slice> guest_chunk::take() noexcept {
    if (piece_.pinned == nullptr) return {piece_.code, slice{}};
    return {boost::system::error_code{}, piece_.take()};
}

// Several chunks.

std::size_t guest_chunks::room(const chunk_manager& manager,
                               std::span<const chunk_config> configs) noexcept {
    return bytes_of_pieces(configs.size()) +
           most_visits(manager, configs.size()) * sizeof(guest_chunk_visit);
}

guest_chunks::guest_chunks(const chunk_manager& manager,
                           std::span<const chunk_config> configs,
                           std::byte* memory)
    : guest_request(manager_access::engine(manager)),
      manager_(manager_access::core(manager)),
      pieces_(reinterpret_cast<guest_piece*>(memory), configs.size()),
      visits_(reinterpret_cast<guest_chunk_visit*>(memory + bytes_of_pieces(configs.size())),
              std::size_t{0}),
      cache_(manager_access::cache(manager)) {
    results_.reserve(configs.size());
    for (std::size_t i = 0; i < configs.size(); ++i) {
        guest_piece& piece = *new (&pieces_[i]) guest_piece{manager_, configs[i]};
        visit_to(place(engine(), manager.owner(configs[i]))).add(piece);
    }
    if (configs.empty()) visit_to(place(engine(), 0));
}

guest_chunks::~guest_chunks() {
    for (guest_piece& piece : pieces_) {
        if (piece.pinned != nullptr) const slice unused = piece.take();
        std::destroy_at(&piece);
    }
    std::destroy(visits_.begin(), visits_.end());
}

guest_chunk_visit& guest_chunks::visit_to(shard& where) noexcept {
    const auto known = std::find_if(visits_.begin(), visits_.end(), [&](guest_chunk_visit& visit) {
        return &visit.where() == &where;
    });
    if (known != visits_.end()) return *known;
    visits_ = {visits_.data(), visits_.size() + 1};
    guest_chunk_visit& made = *new (&visits_.back()) guest_chunk_visit{*this, where};
    guest_request::add(made);
    return made;
}

void guest_chunks::begin(guest_visit& visit) noexcept {
    static_cast<guest_chunk_visit&>(visit).begin(manager_);
}

void guest_chunks::withdraw(guest_visit& visit) noexcept {
    static_cast<guest_chunk_visit&>(visit).withdraw();
}

void guest_chunks::turn_away(guest_visit& visit) noexcept {
    static_cast<guest_chunk_visit&>(visit).turn_away();
}

std::pair<boost::system::error_code, guest_chunks::results> guest_chunks::take() noexcept {
    boost::system::error_code all;
    for (guest_piece& piece : pieces_) {
        if (piece.pinned != nullptr) {
            results_.emplace_back(piece.take());
            continue;
        }
        if (piece.code == errc::stopped || piece.code == errc::cancelled) all = piece.code;
        results_.emplace_back(cache_->failure(piece.config, piece.code));
    }
    return {all, std::move(results_)};
}

}  // namespace leat::detail
