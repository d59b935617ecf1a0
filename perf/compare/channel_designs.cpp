// Designs in which threads own the chunks and are sent requests.
#include "compare/design.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <unordered_map>
#include <utility>

namespace leat::perf {

namespace {

using chunk_bytes = std::vector<std::byte>;
using held_chunk = std::shared_ptr<const chunk_bytes>;

/// A queue of requests between threads.
template <class Message>
class channel {
public:
    void send(std::span<Message* const> messages) {
        {
            const std::lock_guard lock{mutex_};
            queue_.insert(queue_.end(), messages.begin(), messages.end());
        }
        filled_.notify_one();
    }
    /// Takes all that is there; empty only after close().
    std::vector<Message*> receive() {
        std::unique_lock lock{mutex_};
        filled_.wait(lock, [this] { return !queue_.empty() || closed_; });
        return std::exchange(queue_, {});
    }
    void close() {
        {
            const std::lock_guard lock{mutex_};
            closed_ = true;
        }
        filled_.notify_one();
    }

private:
    std::mutex mutex_;
    std::condition_variable filled_;
    std::vector<Message*> queue_;
    bool closed_ = false;
};

/// A request for some pages of chunks that one thread owns; answered as a whole.
struct page_request {
    std::uint32_t chunk = 0;
    held_chunk answer;
    std::atomic<unsigned>* left = nullptr;
    std::binary_semaphore* done = nullptr;
};

/// A thread that owns chunks, and the channel to it. What it has not, it asks of `next`.
class owner_thread {
public:
    owner_thread() : thread_([this] { serve(); }) {}
    owner_thread(const owner_thread&) = delete;
    owner_thread& operator=(const owner_thread&) = delete;
    ~owner_thread() {
        requests_.close();
        thread_.join();
    }
    /// Before the first request.
    void own(std::uint32_t chunk, held_chunk bytes) { table_[chunk] = std::move(bytes); }
    void ask_next(owner_thread& next) { next_ = &next; }
    void send(std::span<page_request* const> requests) { requests_.send(requests); }

private:
    void serve() {
        for (;;) {
            const std::vector<page_request*> taken = requests_.receive();
            if (taken.empty()) return;
            std::vector<page_request*> missing;
            for (page_request* const one : taken) {
                const auto found = table_.find(one->chunk);
                if (found == table_.end()) {
                    missing.push_back(one);
                    continue;
                }
                one->answer = found->second;
                std::binary_semaphore& done = *one->done;
                if (one->left->fetch_sub(1, std::memory_order_acq_rel) == 1) done.release();
            }
            if (!missing.empty()) next_->send(missing);
        }
    }
    std::unordered_map<std::uint32_t, held_chunk> table_;
    owner_thread* next_ = nullptr;
    channel<page_request> requests_;
    std::thread thread_;
};

/// Requests go, `batch` at a time, to one of `owners` threads by their chunk, or to the first of a
/// chain of them.
class by_channel : public design {
public:
    by_channel(const chunk_store& from, unsigned owners, std::size_t batch, bool chain)
        : from_(from), owners_(owners), batch_(batch), chain_(chain) {
        for (std::uint32_t i = 0; i < from.chunks; ++i) {
            const auto bytes = from.chunk(i);
            owner_thread& owner = chain ? owners_.back() : owners_[i % owners_.size()];
            owner.own(i, std::make_shared<const chunk_bytes>(bytes.begin(), bytes.end()));
        }
        for (std::size_t i = 0; chain && i + 1 < owners_.size(); ++i)
            owners_[i].ask_next(owners_[i + 1]);
    }
    std::uint64_t request(std::span<const std::uint32_t> pages) override {
        std::uint64_t sum = 0;
        for (std::size_t at = 0; at < pages.size(); at += batch_)
            sum += ask(pages.subspan(at, std::min(batch_, pages.size() - at)));
        return sum;
    }

private:
    std::uint64_t ask(std::span<const std::uint32_t> pages) {
        // Outlives the call: who releases it may still be in it when this thread goes on.
        static thread_local std::binary_semaphore done{0};
        std::atomic<unsigned> left{static_cast<unsigned>(pages.size())};
        std::vector<page_request> requests(pages.size());
        std::vector<std::vector<page_request*>> to(owners_.size());
        for (std::size_t i = 0; i < pages.size(); ++i) {
            requests[i].chunk = from_.chunk_of(pages[i]);
            requests[i].left = &left;
            requests[i].done = &done;
            to[chain_ ? 0 : requests[i].chunk % to.size()].push_back(&requests[i]);
        }
        for (std::size_t i = 0; i < to.size(); ++i) {
            if (!to[i].empty()) owners_[i].send(to[i]);
        }
        done.acquire();
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < pages.size(); ++i)
            sum += first_word(requests[i].answer->data() + from_.in_chunk(pages[i]));
        return sum;
    }

    chunk_store from_;
    std::deque<owner_thread> owners_;
    std::size_t batch_;
    bool chain_;
};

constexpr std::size_t batch = 64;

template <unsigned Owners, std::size_t Batch, bool Chain>
std::unique_ptr<design> make(const chunk_store& chunks) {
    const unsigned owners =
        Owners != 0 ? Owners : std::max(1U, std::thread::hardware_concurrency());
    return std::make_unique<by_channel>(chunks, owners, Batch, Chain);
}

constexpr std::array designs{
    named_design{"channel", &make<1, 1, false>},
    named_design{"channel_batched", &make<1, batch, false>},
    named_design{"sharded_channels", &make<0, 1, false>},
    named_design{"sharded_channels_batched", &make<0, batch, false>},
    named_design{"chain_channel", &make<3, 1, true>},
};

}  // namespace

std::span<const named_design> channel_designs() noexcept {
    return designs;
}

}  // namespace leat::perf
