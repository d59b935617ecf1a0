// Grants what was asked for, or tells why not.
#include "answers.hpp"

#include "home_requests.hpp"
#include "shard_parts.hpp"

#include <leat/cache/detail/shard_cache.hpp>

namespace leat::detail {

void answers::grant(chunk& found, chunk_request& wanted) noexcept {
    uses_.granted(found, wanted);
    if (wanted.home == &cache_) {
        cache_.pin(found, wanted.size);
        wanted.pinned = &found;
        return send(wanted, {});
    }
    // A fragment that a shard asks for once goes home with its last pin: most are never used again.
    const auto asker = static_cast<std::uint16_t>(wanted.home->home().index() + 1);
    const std::uint16_t before = std::exchange(found.asked_by, asker);
    wanted.fleeting = !found.piece.is_chunk() && before != asker;
    wanted.grant = granted_.grant(found, *wanted.via);
    // Without a grant, slices of a chunk that a change of the file has doomed hang on the lease.
    if (wanted.grant == 0) return send(wanted, errc::file_changed);
    wanted.whole = found.ready_length != 0;
    send(wanted, {});
}

void answers::redirect(chunk_request& wanted, piece_number to) noexcept {
    wanted.redirected = true;
    wanted.elsewhere = to;
    send(wanted, {});
}

void answers::send(chunk_request& wanted, boost::system::error_code code) noexcept {
    wanted.waits = chunk_request::place::nowhere;
    if (wanted.home == &cache_) return cache_.parts().home_requests.finish(wanted, code);
    wanted.code = code;
    wanted.run = &home_requests::answer_arrived;
    cache_.home().send(wanted.home->home().index(), wanted);
}

}  // namespace leat::detail
