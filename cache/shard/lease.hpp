// A shard's right to serve hits on a chunk that another shard owns.
#pragma once

#include <leat/cache/detail/entry.hpp>
#include <leat/engine/detail/work.hpp>

#include <boost/intrusive/parent_from_member.hpp>
#include <boost/intrusive/slist_hook.hpp>

#include <atomic>
#include <cstdint>
#include <utility>

namespace leat::detail {

struct chunk;

struct lease_link_tag;
using lease_link = boost::intrusive::slist_base_hook<boost::intrusive::tag<lease_link_tag>>;

/// Two threads use it, each its own part: home, in whose table it lies, and the owner of the chunk.
/// Messages between the two arrive in the order in which they were sent, each has one place at a
/// time, and each comes back.
///
/// At home:
///
///     state      | a grant  | a revoke of      | an error | the last pin | not used | give-back
///                | arrives  | this grant       | arrives  | is given up  | for long | returns
///     -----------+----------+------------------+----------+--------------+----------+----------
///     unused     |          |                  |          |              |          |
///     asked      | granted  |                  | unused * |              |          |
///     granted    | granted  | revoked, or      | granted  | granted      | returning|
///                |          | returning *      |          |              |          |
///     revoked    | granted  |                  | returning| returning *  |          |
///                |          |                  | *        |              |          |
///     returning  |          |                  |          |              |          | unused
///
///     * as soon as there are neither pins nor requests on their way through it. A revoke of
///       another grant is void: it changes nothing, and is answered like any other.
///
/// At the owner:
///
///     state      | a request | the owner wants | a revoke returns:   | a give-back
///                | is granted| the buffer      | unpinned | pinned   | arrives
///     -----------+-----------+-----------------+----------+----------+------------
///     none       | held +    |                 |          |          | none, sent home
///     held       | held      | revoking        |          |          | none, sent home
///     revoking   | regranted | revoking        | none     | kept     | closing
///                | +         |                 |          |          |
///     regranted  | regranted | regranted       | held, or revoking   | closing
///                |           |                 | if doomed           |
///     kept       | held +    | kept            |          |          | none, sent home
///     closing    |           |                 | none, the give-back |
///                |           |                 | is sent home        |
///
///     + of a new generation, so that a revoke that is on its way is void.
struct lease : entry {
    // Home's part.

    enum class home_state : std::uint8_t {
        unused,    ///< on the list of free ones
        asked,     ///< in the table for the sake of requests that are on their way to the owner
        granted,   ///< hits pin by it
        revoked,   ///< in the table while slices or requests need it; hits do not pin by it
        returning  ///< out of the table; the owner has been or is being told
    };

    explicit lease(shard_cache& of) noexcept {
        home = &of;
        leased = true;
    }

    work give_back;                        ///< home, owner, home again
    std::uint32_t generation = 0;          ///< of the grant it lives by
    unsigned outstanding = 0;              ///< requests on their way through it
    std::atomic<std::uint32_t> reuses{0};  ///< visits counted at home
    bool kept = false;                     ///< the owner knows that its chunk is to be kept
    bool fleeting = false;                 ///< it goes home with its last pin
    bool retired = false;  ///< revoked, and out of the table for another of its name
    home_state state = home_state::unused;

    /// Home: a use through it begins a visit. The owner may learn of it late: relaxed.
    void count_reuse() noexcept {
        reuses.store(reuses.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    }
    /// Owner: whether there were visits since it last asked.
    [[nodiscard]] bool take_reuses() noexcept {
        const std::uint32_t counted = reuses.load(std::memory_order_relaxed);
        return std::exchange(at_owner.seen_reuses, counted) != counted;
    }

    // The owner's part, in a line of its own but for what home hardly ever looks at.

    enum class owner_state : std::uint8_t {
        none,       ///< the owner counts it as no holder of anything
        held,       ///< home may pin
        revoking,   ///< the revoke of the last grant is on its way
        regranted,  ///< a revoke is on its way that a later grant has made void
        kept,       ///< revoked; slices at home keep the chunk until the last of them is dropped
        closing     ///< given back while the revoke is on its way, which must return first
    };
    struct owner_part : lease_link {
        leat::detail::chunk* chunk = nullptr;  ///< that it holds, which lists it among its holders
        std::uint32_t generation = 0;          ///< of the last grant; 0 only before the first
        std::uint32_t seen_reuses = 0;
        std::uint32_t in_line = 0;  ///< requests by it that wait for a buffer
        owner_state state = owner_state::none;

        [[nodiscard]] lease& of() noexcept;
        [[nodiscard]] const lease& of() const noexcept;
    };
    alignas(64) owner_part at_owner;
    /// Owner, home, owner again. Whoever has it may read and write what it says.
    struct revoke_message : work {
        std::uint32_t generation = 0;  ///< of the grant that it ends
        bool pinned = false;           ///< home's answer: slices keep the chunk
    } revoke;

    // Home's, that both may read.

    std::uint32_t bytes = 0;  ///< of the buffer that it keeps
    std::uint32_t owner = 0;  ///< the shard

    /// The lease that such a message is of.
    [[nodiscard]] static lease& of_give_back(work& message) noexcept {
        return *boost::intrusive::get_parent_from_member(&message, &lease::give_back);
    }
    [[nodiscard]] static lease& of_revoke(work& message) noexcept {
        return *boost::intrusive::get_parent_from_member(&static_cast<revoke_message&>(message),
                                                         &lease::revoke);
    }

    /// What is wrong with home's part, or with the owner's, between two messages there; nullptr if
    /// nothing is. Each on the thread whose part it is.
    [[nodiscard]] const char* fault_at_home() const noexcept;
    [[nodiscard]] const char* fault_at_owner() const noexcept;
};
// Four cache lines: hits write the first two, releases on other threads the third, the owner the
// last.
static_assert(sizeof(lease) <= 256);

inline lease& lease::owner_part::of() noexcept {
    return *boost::intrusive::get_parent_from_member(this, &lease::at_owner);
}
inline const lease& lease::owner_part::of() const noexcept {
    return *boost::intrusive::get_parent_from_member(this, &lease::at_owner);
}

}  // namespace leat::detail
