// A question that a thread that is no shard asks of every shard.
#pragma once

#include <leat/engine/engine.hpp>
#include <leat/engine/error.hpp>
#include <leat/io/time_span.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace leat::detail {

/// Calls function(shard) on each shard, in its ready work, and collects what it gives, or what it
/// fails with: errc::timed_out for a shard that does not answer in time, errc::stopped for one that
/// has ended. A late answer goes nowhere, hence `function` refers to nothing that the caller may
/// take away. The mutex is held for as long as it takes to count an answer, so that no shard waits.
template <class Answer>
class inquiry : public std::enable_shared_from_this<inquiry<Answer>> {
public:
    using question = std::function<Answer(shard&)>;
    using outcome = boost::system::result<Answer>;
    using answers = std::vector<outcome>;

    [[nodiscard]] static answers ask(engine& of, question function, time_span patience) {
        const auto one = std::make_shared<inquiry>(of, std::move(function));
        return one->send_and_wait(of, patience);
    }
    inquiry(engine& of, question function)
        : function_(std::move(function)),
          answers_(of.shards(), failed(make_error_code(errc::timed_out))),
          messages_(of.shards()) {}

private:
    struct message : work {
        message() noexcept : work(&arrive) {}
        std::shared_ptr<inquiry> of;
        std::size_t index = 0;
    };

    answers send_and_wait(engine& of, time_span patience) {
        const auto until = later(std::chrono::steady_clock::now(), patience);
        std::size_t asked = 0;
        for (unsigned index = 0; index < of.shards(); ++index) {
            message& one = messages_[index];
            one.index = index;
            one.of = this->shared_from_this();
            if (of.at(index).post_from_outside(one)) {
                ++asked;
            } else {
                one.of.reset();
                answers_[index] = failed(make_error_code(errc::stopped));
            }
        }
        // For what comes too late.
        answers others(answers_.size(), failed(make_error_code(errc::timed_out)));
        std::unique_lock lock{mutex_};
        changed_.wait_until(lock, until, [&] { return answered_ == asked; });
        return std::exchange(answers_, std::move(others));
    }
    static void arrive(work& item) noexcept {
        message& mine = static_cast<message&>(item);
        const std::shared_ptr<inquiry> self = std::move(mine.of);
        outcome answer = self->call();
        const std::lock_guard lock{self->mutex_};
        self->answers_[mine.index] = std::move(answer);
        ++self->answered_;
        self->changed_.notify_one();
    }

    [[nodiscard]] outcome call() const noexcept {
        try {
            return outcome{boost::system::in_place_value, function_(*shard::current())};
        } catch (...) {
            return failed(error_of(std::current_exception()).code);
        }
    }
    [[nodiscard]] static outcome failed(boost::system::error_code why) noexcept {
        return outcome{boost::system::in_place_error, why};
    }

    const question function_;
    std::mutex mutex_;
    std::condition_variable changed_;
    answers answers_;
    std::size_t answered_ = 0;
    std::vector<message> messages_;
};

}  // namespace leat::detail
