// A question that a thread that is no shard asks of every shard.
#pragma once

#include <leat/engine/engine.hpp>
#include <leat/io/time_span.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace leat::detail {

/// Calls function(shard) on each shard, in its ready work, and collects what it gives. A shard that
/// does not answer in time is left out; so is one that has ended. Its late answer goes nowhere,
/// hence `function` refers to nothing that the caller may take away. The mutex is held for as long
/// as it takes to count an answer, so that no shard waits.
template <class Answer>
class inquiry : public std::enable_shared_from_this<inquiry<Answer>> {
public:
    using question = std::function<Answer(shard&)>;
    using answers = std::vector<std::optional<Answer>>;

    [[nodiscard]] static answers ask(engine& of, question function, time_span patience) {
        const auto one = std::make_shared<inquiry>(of, std::move(function));
        return one->send_and_wait(of, patience);
    }
    inquiry(engine& of, question function)
        : function_(std::move(function)), answers_(of.shards()), messages_(of.shards()) {}

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
            }
        }
        std::unique_lock lock{mutex_};
        changed_.wait_until(lock, until, [&] { return answered_ == asked; });
        return std::exchange(answers_, answers(answers_.size()));
    }
    static void arrive(work& item) noexcept {
        message& mine = static_cast<message&>(item);
        const std::shared_ptr<inquiry> self = std::move(mine.of);
        std::optional<Answer> answer;
        try {
            answer = self->function_(*shard::current());
        } catch (const std::exception&) {  // no memory: as if it had not answered
        }
        const std::lock_guard lock{self->mutex_};
        self->answers_[mine.index] = std::move(answer);
        ++self->answered_;
        self->changed_.notify_one();
    }

    const question function_;
    std::mutex mutex_;
    std::condition_variable changed_;
    answers answers_;
    std::size_t answered_ = 0;
    std::vector<message> messages_;
};

}  // namespace leat::detail
