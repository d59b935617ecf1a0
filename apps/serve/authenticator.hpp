// Who may ask, and by which password.
#pragma once

#include "http/password_file.hpp"

#include <leat/engine/offload.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace leat::serve {

/// The names and passwords of a server, and the threads that hash: at most two at once, whatever is
/// tried. Any thread.
struct password_check {
    /// As http::password_file::read.
    explicit password_check(const std::string& path) : known(http::password_file::read(path)) {}
    const http::password_file known;
    offload_pool hashing{{.threads = 2, .max_queue = 256}};
};

/// Checks credentials on one shard, and remembers for a minute what came of it: a hash takes a
/// tenth of a second, and a browser sends the password with each request. What is remembered is a
/// hash with a key of this process, not the password.
class authenticator {
public:
    /// `check` must outlive it.
    explicit authenticator(password_check& check);

    enum class outcome : std::uint8_t { accepted, refused, unknown };
    /// What is remembered of the value of a field Authorization.
    [[nodiscard]] outcome remembered(std::string_view authorization) const noexcept;
    /// Checks it. Throws leat::system_error: EAGAIN if too many wait already, errc::stopped.
    [[nodiscard]] task<bool> accepts(std::string authorization);

private:
    using digest = std::array<std::uint8_t, 32>;
    struct hash {
        std::size_t operator()(const digest& one) const noexcept;
    };
    struct outcome_kept {
        bool accepted = false;
        io::time_point until;
    };
    static constexpr std::size_t most = 4096;
    static constexpr std::chrono::seconds kept{60};

    [[nodiscard]] digest digest_of(std::string_view text) const noexcept;

    password_check& check_;
    digest key_{};
    std::unordered_map<digest, outcome_kept, hash> results_;
};

/// The name in the value of a field Authorization, for logs, in `buffer`.
[[nodiscard]] std::string_view user_of(std::string_view authorization, std::span<char> buffer);

}  // namespace leat::serve
