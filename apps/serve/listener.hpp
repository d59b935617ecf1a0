// Where leat-serve listens.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace leat::serve {

/// An address that is listened on: a socket for each shard, among which the kernel spreads the
/// connections, or one for all that shards share, of a unix path or of the service manager.
class listener {
public:
    /// Listens on "ADDRESS:PORT", "[ADDRESS]:PORT", ":PORT" (every address), or "unix:PATH", with
    /// `shards` sockets. An address that another program listens on is refused, also where the
    /// system would let both; where one that was killed has not quite gone, it is waited for. A
    /// unix path where nobody listens any more is taken over, and has the permissions `mode`, by
    /// default those that the process gives. Throws std::runtime_error with a sentence that names
    /// the address.
    listener(const std::string& address, unsigned shards, std::optional<::mode_t> mode = {});
    /// Takes over a socket that listens already. Throws std::runtime_error if it is none.
    listener(int descriptor, unsigned shards);
    listener(listener&& other) noexcept;
    listener& operator=(listener&&) = delete;
    /// Closes what take() has not given, and removes the unix path.
    ~listener();

    /// One text for all ways to write an address: ":80" and "[::]:80" are the same. Throws as the
    /// constructor.
    [[nodiscard]] static std::string normal(const std::string& address);
    /// The shard's socket, which is the caller's from then on.
    [[nodiscard]] int take(unsigned shard) noexcept;
    /// As a user would write it, with the port that was given: "127.0.0.1:8080".
    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    [[nodiscard]] bool is_unix() const noexcept { return address_.starts_with("unix:"); }

private:
    void listen_on_path(const std::string& path, unsigned shards, std::optional<::mode_t> mode);
    void listen_on_network(const std::string& address, unsigned shards);
    void share(int descriptor, unsigned shards);

    std::string address_;
    std::string path_;          ///< to be removed, if it still names
    std::uint64_t device_ = 0;  ///< the file
    std::uint64_t inode_ = 0;   ///< that was made
    std::vector<int> descriptors_;
};

}  // namespace leat::serve
