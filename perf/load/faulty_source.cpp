// Draws the fault of each read, and makes it.
#include "load/faulty_source.hpp"

#include "common/pages.hpp"

#include <cerrno>

namespace leat::perf {

namespace {

enum class fault : std::uint8_t { none, refused, spoilt, late, cut_short, changed };

// About one read in twenty meets a fault; that a file changes is the rarest, since it empties the
// cache of it.
fault fault_of(std::uint64_t thrown) noexcept {
    constexpr std::uint64_t sides = 1024;
    const std::uint64_t side = thrown % sides;
    if (side < 12) return fault::refused;
    if (side < 20) return fault::spoilt;
    if (side < 44) return fault::late;
    if (side < 50) return fault::cut_short;
    return side == sides - 1 ? fault::changed : fault::none;
}

[[noreturn]] void fail(boost::system::error_code code, activity doing) {
    throw system_error({code, {.doing = doing}});
}

}  // namespace

std::uint64_t fault_dice::throw_one() noexcept {
    return random_words{thrown_.fetch_add(1, std::memory_order_relaxed)}();
}

file_version faulty_file::version() const noexcept {
    file_version own = file_.version();
    own.device = copy_;
    own.changed_ns = static_cast<std::int64_t>(version_);
    return own;
}

task<faulty_file> faulty_source::open(std::string name) {
    const std::uint64_t copy = std::stoul(name) % fault_dice::copies;
    const std::uint64_t version = dice_->version(copy);
    const bool striking = dice_->striking();
    if (striking && dice_->throw_one() % 64 == 0) {
        dice_->count();
        fail(system_error_code(EIO), activity::open);
    }
    io::file opened = co_await files_.open(path_);
    co_return faulty_file{std::move(opened), copy, version};
}

task<std::size_t> faulty_source::read(const faulty_file& from,
                                      std::uint64_t offset,
                                      std::span<std::byte> buffer,
                                      priority urgency) {
    constexpr std::uint64_t latest_us = 20'000;
    const std::uint64_t thrown = dice_->throw_one();
    const fault met = dice_->striking() ? fault_of(thrown) : fault::none;
    if (met != fault::none) dice_->count();
    if (met == fault::changed) dice_->change(from.copy());
    if (from.number() != dice_->version(from.copy())) fail(errc::file_changed, activity::read);
    if (met == fault::refused) fail(system_error_code(EIO), activity::read);
    if (met == fault::late) {
        const std::chrono::microseconds delay{(thrown >> 32) % latest_us};
        co_await sleep(delay);
    }
    const std::size_t count = co_await files_.read(from.opened(), offset, buffer, urgency);
    if (met == fault::spoilt) fail(system_error_code(EIO), activity::read);
    co_return met == fault::cut_short ? count / 2 : count;
}

}  // namespace leat::perf
