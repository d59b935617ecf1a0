// What leat-serve is told to do.
#pragma once

#include <leat/engine/options.hpp>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace leat::serve {

/// What an entity tag is made of.
enum class etag_kind : std::uint8_t {
    version,    ///< all that identifies a version, the inode among it
    size_mtime  ///< the same for copies on several machines
};

/// Which answers go out without a copy by the kernel.
enum class zero_copy_use : std::uint8_t {
    automatic,  ///< large ones, but not to this machine itself
    on,
    off
};

enum class log_format : std::uint8_t { combined, json };

inline constexpr const char* default_admin = "127.0.0.1:8081";

inline constexpr std::uint64_t default_connections = 20'000;

/// The options of leat-serve, checked as far as one can without doing what they say.
struct server_options {
    engine_options engine;

    std::string root;
    std::vector<std::string> listen{"127.0.0.1:8080"};
    /// Where administrators ask, or "none"; empty: default_admin, if it is free.
    std::string admin;
    std::uint32_t admin_mode = 0600;  ///< the permissions of its unix path
    std::string index = "index.html";
    bool list = false;                 ///< folders without an index
    bool dotfiles = false;             ///< serve names that begin with a dot
    std::vector<std::string> headers;  ///< "Name: value", of every answer with a file
    etag_kind etag = etag_kind::version;
    bool cache_status = false;

    std::string tls_certificate;  ///< a file in PEM form, with the chain; empty: no TLS
    std::string tls_key;          ///< empty: in the same file
    bool proxy_protocol = false;
    std::string password_file;
    std::string realm = "files";

    std::uint64_t open_files = 1000;    ///< a shard keeps
    std::uint64_t max_connections = 0;  ///< 0: default_connections, or as many as there may be
    std::uint64_t max_connections_per_address = 0;  ///< 0: three quarters of max_connections
    std::uint64_t max_requests = 100'000;           ///< of one connection
    std::uint64_t max_ranges = 64;                  ///< of one request
    std::uint64_t max_head = 16 * KiB;              ///< bytes of a request's head
    std::chrono::nanoseconds head_timeout = std::chrono::seconds{10};
    std::chrono::nanoseconds idle_timeout = std::chrono::seconds{60};
    std::chrono::nanoseconds send_timeout = std::chrono::seconds{60};
    std::uint64_t rate = 0;  ///< bytes a second of one connection; 0: no limit
    std::chrono::nanoseconds drain_timeout = std::chrono::seconds{30};
    zero_copy_use zero_copy = zero_copy_use::automatic;

    std::string access_log;  ///< a file, "-" for standard output, or empty
    log_format format = log_format::combined;
};

}  // namespace leat::serve
