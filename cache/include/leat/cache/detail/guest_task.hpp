// What a guest asks for that takes a task on a shard: opening a file, reading across chunks.
#pragma once

#include <leat/cache/chunk_manager.hpp>
#include <leat/cache/detail/guest_request.hpp>
#include <leat/cache/detail/manager_access.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

namespace leat::detail {

/// A request that is one task on one shard.
class guest_task : public guest_request {
protected:
    guest_task(leat::engine& engine, shard& where) noexcept
        : guest_request(engine), visit_(*this, where) {
        add(visit_);
    }
    ~guest_task() = default;

    /// What is to be done; keeps its result in the request.
    virtual task<> work_there() = 0;

    /// After complete(): `code`, where the task said that it arose, or else at `asked`.
    [[nodiscard]] error failure_at(boost::system::error_code code, const where& asked) const {
        return {code, failed_.where.doing != activity::none ? failed_.where : asked};
    }

    error failed_;

private:
    class runner;
    struct stopper {
        std::stop_source* source;
        void operator()() const noexcept { source->request_stop(); }
    };
    void begin(guest_visit& visit) noexcept final;
    void withdraw(guest_visit& visit) noexcept final;
    void turn_away(guest_visit& visit) noexcept final;
    void ended() noexcept;

    guest_visit visit_;
    std::stop_source stop_{std::nostopstate};  // of requests that can be cancelled
    std::stop_token token_;
    std::optional<std::stop_callback<stopper>> with_shard_;
};

/// Opens a file.
class guest_open : public guest_task {
public:
    guest_open(const chunk_manager& manager, std::string name, std::byte* = nullptr)
        : guest_task(manager_access::engine(manager),
                     place(manager_access::engine(manager), shard_of(manager, name))),
          manager_(manager_access::share(manager)),
          name_(std::move(name)) {}

    [[nodiscard]] std::pair<boost::system::error_code, file> take() noexcept {
        return {failed_.code, std::move(opened_)};
    }
    void keep_names() const noexcept {}
    [[nodiscard]] error failure(boost::system::error_code code) const {
        where asked{.doing = activity::open};
        asked.set_name(name_);
        return failure_at(code, asked);
    }

protected:
    ~guest_open() = default;

private:
    static unsigned shard_of(const chunk_manager& manager, const std::string& name) noexcept;
    task<> work_there() override;

    std::unique_ptr<chunk_manager> manager_;  // the caller's may be destroyed meanwhile
    std::string name_;
    file opened_;
};

/// Reads across chunks into the caller's memory.
class guest_read : public guest_task {
public:
    guest_read(const chunk_manager& manager,
               file from,
               std::uint64_t offset,
               std::span<std::byte> to,
               std::byte* = nullptr)
        : guest_task(manager_access::engine(manager),
                     place(manager_access::engine(manager), manager.owner({from, offset}))),
          manager_(manager_access::share(manager)),
          from_(std::move(from)),
          offset_(offset),
          to_(to) {}

    [[nodiscard]] std::pair<boost::system::error_code, std::size_t> take() noexcept {
        return {failed_.code, count_};
    }
    void keep_names() const noexcept {}
    [[nodiscard]] error failure(boost::system::error_code code) const {
        where asked{.doing = activity::read};
        asked.set_name(from_.name());
        asked.file = from_.id().number;
        asked.offset = offset_;
        asked.size = to_.size();
        return failure_at(code, asked);
    }

protected:
    ~guest_read() = default;

private:
    task<> work_there() override;

    std::unique_ptr<chunk_manager> manager_;  // the caller's may be destroyed meanwhile
    file from_;
    std::uint64_t offset_;
    std::span<std::byte> to_;
    std::size_t count_ = 0;
};

}  // namespace leat::detail
