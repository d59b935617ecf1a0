// What the administrator's address has at which path.
#pragma once

#include "admin_answer.hpp"
#include "admin_query.hpp"
#include "http/request_head.hpp"
#include "recent_statistics.hpp"
#include "running_server.hpp"
#include "take_snapshot.hpp"
#include "warming.hpp"

#include <atomic>
#include <functional>
#include <span>
#include <string_view>

namespace leat::serve {

/// Any thread that is no shard, several at once. Answers block until the shards have told, a few
/// seconds at most.
class admin_pages {
public:
    /// `drain` begins what SIGTERM begins; it is called once at most.
    admin_pages(const running_server& of, std::function<void()> drain);

    /// Of a request whose access has been granted.
    [[nodiscard]] admin_answer answer(const http::request_head& head);

private:
    using handler = admin_answer (admin_pages::*)(const admin_query&);
    struct route {
        std::string_view path;
        handler answer;
        bool changes;  ///< asked by POST; else by GET and HEAD
    };
    [[nodiscard]] static std::span<const route> routes() noexcept;

    [[nodiscard]] admin_answer page(const admin_query&);
    [[nodiscard]] admin_answer style(const admin_query&);
    [[nodiscard]] admin_answer script(const admin_query&);
    [[nodiscard]] admin_answer icon(const admin_query&);
    [[nodiscard]] admin_answer metrics(const admin_query&);
    [[nodiscard]] admin_answer stats(const admin_query&);
    [[nodiscard]] admin_answer chunks(const admin_query& query);
    [[nodiscard]] admin_answer in_flight(const admin_query& query);
    [[nodiscard]] admin_answer health(const admin_query&);
    [[nodiscard]] admin_answer readiness(const admin_query&);
    [[nodiscard]] admin_answer warm(const admin_query& query);
    [[nodiscard]] admin_answer evict(const admin_query& query);
    [[nodiscard]] admin_answer begin_drain(const admin_query&);
    [[nodiscard]] bool root_is_readable();

    const running_server of_;
    const server_start start_;
    recent_statistics cache_;
    const std::function<void()> drain_;
    std::atomic<bool> drain_asked_{false};
    warming warming_;
};

}  // namespace leat::serve
