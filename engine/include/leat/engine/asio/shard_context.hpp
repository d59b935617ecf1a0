// The io_context of a shard, for what Asio itself brings: timers, signals, names.
#pragma once

#include <leat/engine/detail/epoll_instance.hpp>
#include <leat/engine/engine.hpp>
#include <leat/io/error.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace leat {

namespace detail {
/// Marks the contexts of shards.
class shard_mark : public boost::asio::execution_context::service {
public:
    using key_type = shard_mark;
    inline static boost::asio::execution_context::id id;
    explicit shard_mark(boost::asio::execution_context& of) : service(of) {}

private:
    void shutdown() noexcept override {}
};
}  // namespace detail

/// Asio's own operations on a shard: steady_timer, signal_set, resolver, and the timers inside
/// ssl::stream and Beast. They use an io_context without a thread: the shard polls it each turn,
/// and a parked shard is woken by its epoll descriptor.
///
/// One a shard, made at first use; it lives until the engine is destroyed, and what uses it must be
/// gone by then. When the engine stops and nothing but such operations is left, they are given up:
/// their handlers are destroyed uncalled.
class shard_context {
public:
    /// That of `home`. Any thread. Throws std::bad_alloc or boost::system::system_error.
    [[nodiscard]] static shard_context& of(shard& home);

    explicit shard_context(shard& home);
    shard_context(const shard_context&) = delete;
    shard_context& operator=(const shard_context&) = delete;
    ~shard_context() { home_.remove_timer(blind_alarm_); }

    /// What the executor's query(execution::context) gives. Not to be run or stopped by others.
    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }

private:
    // How often the context is polled while something in it may complete without a sign.
    static constexpr std::chrono::milliseconds blind_interval{1};
    static constexpr int handlers_a_turn = 256;

    struct polled_context : boost::asio::io_context {
        polled_context() : boost::asio::io_context(1) {
            boost::asio::use_service<detail::shard_mark>(*this);
        }
        using boost::asio::io_context::shutdown;
    };
    struct watch : io::operation {
        shard_context* self = nullptr;
        bool armed = false;
    };

    void find_epoll();
    void serve() noexcept;
    [[nodiscard]] int poll() noexcept;
    void keep_watch() noexcept;
    void wind_down() noexcept;
    [[nodiscard]] bool resolves() const;

    [[nodiscard]] static bool readable(int descriptor) noexcept {
        pollfd one{descriptor, POLLIN, 0};
        return ::poll(&one, 1, 0) == 1;
    }
    static void do_nothing(detail::work&) noexcept {}
    static void watch_ended(io::operation& ended) noexcept {
        auto& mine = static_cast<watch&>(ended);
        mine.armed = false;
        if (mine.result < 0 && mine.result != -ECANCELED) mine.self->epoll_ = -1;
    }

    shard& home_;
    polled_context context_;
    int epoll_ = -1;  // the context's, or -1 if it was not found
    watch watch_;
    detail::timer blind_alarm_{&do_nothing};
    detail::work greeting_{&do_nothing};
    bool more_ = false;    // the last poll ended by its budget
    bool closed_ = false;  // for good
    shard::extension extension_;
};

namespace detail {
/// The contexts of an engine's shards.
class shard_contexts final : public service {
public:
    explicit shard_contexts(unsigned shards) : all_(shards) {}
    [[nodiscard]] shard_context& of(shard& home) {
        const std::lock_guard lock{mutex_};
        std::unique_ptr<shard_context>& one = all_[home.index()];
        if (!one) one = std::make_unique<shard_context>(home);
        return *one;
    }
    std::size_t close() noexcept override { return 0; }
    /// Users' timers and the like refer to the contexts, engine joined or not.
    [[nodiscard]] bool outlives_join() const noexcept override { return true; }

private:
    std::mutex mutex_;
    std::vector<std::unique_ptr<shard_context>> all_;
};
}  // namespace detail

inline shard_context& shard_context::of(shard& home) {
    void* const known = home.extension_of(shard::slot::asio).state;
    if (known != nullptr) return *static_cast<shard_context*>(known);
    return home.engine()
        .service_of<detail::shard_contexts>([](leat::engine& engine) {
            return std::make_shared<detail::shard_contexts>(engine.shards());
        })
        ->of(home);
}

inline shard_context::shard_context(shard& home) : home_(home) {
    find_epoll();
    watch_.self = this;
    watch_.on_complete = &watch_ended;
    extension_.state = this;
    extension_.before_submit = [](void* self) noexcept {
        static_cast<shard_context*>(self)->serve();
        return std::size_t{0};
    };
    extension_.pending = [](void* self) noexcept {
        return static_cast<shard_context*>(self)->more_;
    };
    home_.attach(extension_, shard::slot::asio);
    // A parked shard must learn of it.
    if (shard::current() != &home_) static_cast<void>(home_.post_from_outside(greeting_));
}

// Asio does not tell its epoll descriptor. It is the one that watches a descriptor which is given
// to the context, and which becomes readable with it.
inline void shard_context::find_epoll() {
    const auto working = boost::asio::make_work_guard(context_);
    boost::asio::posix::stream_descriptor probe(context_);
    const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) throw boost::system::system_error(system_error_code(errno), "eventfd");
    probe.assign(event);
    static_cast<void>(poll());
    std::vector<int> candidates = detail::epoll_instances_with(event);
    std::erase_if(candidates, &readable);
    static_cast<void>(::eventfd_write(event, 1));
    std::erase_if(candidates, [](int one) { return !readable(one); });
    if (candidates.size() == 1) epoll_ = candidates.front();
    static_cast<void>(poll());
}

inline void shard_context::serve() noexcept {
    if (closed_) return;
    const int called = poll();
    if (!home_.stopping()) {
        keep_watch();
    } else if (called == 0 && !home_.has_ready()) {
        wind_down();
    }
}

// Runs what is ready, within a budget. Returns how many handlers that was.
inline int shard_context::poll() noexcept {
    context_.restart();
    // Without work outstanding Asio does not look at its epoll descriptor, which stays readable
    // when the time of a timer comes that was cancelled, or bytes for a socket that nobody reads:
    // whoever watches it would be told again and again.
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> looks;
    if (!watch_.armed) looks.emplace(context_.get_executor());
    int called = 0;
    while (called < handlers_a_turn) {
        try {
            if (context_.poll_one() == 0) break;
        } catch (...) {
            home_.report_thrown();
        }
        ++called;
    }
    more_ = called == handlers_a_turn;
    return called;
}

inline void shard_context::keep_watch() noexcept {
    if (epoll_ >= 0 && !watch_.armed) {
        watch_.prepare_poll(epoll_, POLLIN);
        watch_.armed = true;
        home_.backend().submit(watch_);
    }
    // With nothing outstanding the last poll has stopped the context.
    if (context_.stopped() || blind_alarm_.pending()) return;
    if (epoll_ < 0 || resolves()) home_.add_timer(blind_alarm_, home_.now() + blind_interval);
}

// The engine stops: what tasks and leat's own operations wait for ends by itself. When that is
// done, the rest is given up.
inline void shard_context::wind_down() noexcept {
    const std::size_t own = watch_.armed ? 1 : 0;
    if (home_.engine().roots() != 0 || home_.backend().in_flight() != own) {
        keep_watch();
        return;
    }
    if (!context_.stopped()) {
        closed_ = true;
        home_.end_functions();  // Asio's services do not serve again
        context_.shutdown();
    }
    home_.remove_timer(blind_alarm_);
    if (watch_.armed) home_.backend().cancel(watch_);
}

// The thread of Asio's resolver hands its results over without touching the epoll descriptor.
inline bool shard_context::resolves() const {
    using boost::asio::has_service;
    namespace ip = boost::asio::ip;
    auto& context = const_cast<polled_context&>(context_);
    return has_service<boost::asio::detail::resolver_service<ip::tcp>>(context) ||
           has_service<boost::asio::detail::resolver_service<ip::udp>>(context);
}

}  // namespace leat
