// What all shards of a server share.
#pragma once

#include "access_log.hpp"
#include "authenticator.hpp"
#include "connection_limits.hpp"
#include "http/extra_fields.hpp"
#include "http/media_types.hpp"
#include "listener.hpp"
#include "page_memory.hpp"
#include "server_options.hpp"
#include "tls_keys.hpp"

#include <leat/cache/chunk_manager.hpp>
#include <leat/engine/offload.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

namespace leat::serve {

class shard_server;

/// Made before the first connection, and not changed but by its parts themselves, each of which
/// says who may use it.
struct site {
    server_options options;
    chunk_manager* manager = nullptr;
    http::media_types types{"/etc/mime.types"};
    http::extra_fields fields;
    std::vector<listener> listeners;
    std::vector<shard_server*> servers;  ///< of each shard; they put themselves there
    std::optional<listener> admin;       ///< where administrators ask
    std::atomic<bool> draining{false};   ///< it ends as soon as its answers have
    std::unique_ptr<connection_limits> limits;
    std::unique_ptr<tls_keys> tls;              ///< null: none is spoken
    std::unique_ptr<password_check> passwords;  ///< null: nobody is asked
    std::unique_ptr<access_log> log;            ///< null: none is written
    page_memory pages{64 * MiB};                ///< of folders that are listed
    /// For folders that are listed. More threads than have work at a time, since each may be held
    /// by a folder whose file system does not answer.
    offload_pool helpers{{.threads = 8, .max_queue = 256}};
};

/// Opens and reads all that the options name, and listens. Throws std::runtime_error or
/// leat::system_error with a sentence that names the option or the file.
[[nodiscard]] std::unique_ptr<site> make_site(server_options options, unsigned shards);

}  // namespace leat::serve
