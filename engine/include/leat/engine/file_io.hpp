// Opening and reading files from coroutines.
#pragma once

#include <leat/engine/detail/suspension.hpp>
#include <leat/engine/error.hpp>
#include <leat/io/detail/file_read.hpp>
#include <leat/io/file.hpp>

#include <span>
#include <string>

namespace leat {

/// Awaits one operation of the backend; gives its result (a negated errno if it failed). A stop
/// request cancels it. The caller prepares `operation` first.
class [[nodiscard]] operation_wait final : public detail::awaited_once<operation_wait>,
                                           public detail::suspension {
public:
    struct awaited_operation : io::operation {
        operation_wait* self = nullptr;
    };
    [[nodiscard]] operation_wait() noexcept { operation.self = this; }
    awaited_operation operation;

    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        suspend(coroutine, &cancel);
        operation.on_complete = &completed;
        home().backend().submit(operation);
        listen();
    }
    [[nodiscard]] int await_resume() const noexcept { return operation.result; }
    [[nodiscard]] where awaits() const noexcept override {
        where at{.doing = activity::operation};
        at.set_name(io::to_string(operation.code));
        return at;
    }

private:
    static void completed(io::operation& done) noexcept {
        static_cast<awaited_operation&>(done).self->finish();
    }
    static void cancel(detail::suspension& self) noexcept {
        auto& wait = static_cast<operation_wait&>(self);
        self.home().backend().cancel(wait.operation);
    }
};

/// Awaits io::file_read: fills `data` from `offset` on, or up to the end of the file; gives the
/// count. Memory of this shard's arena is read into as a registered buffer. `data` may reach beyond
/// the end of the file (direct reads of the tail need it rounded up). `file` and `data` must live
/// until then.
///
/// Given a list, fills its buffers one after the other, as io::file_read says; the list must live
/// until then, too.
class [[nodiscard]] file_read_wait final : public detail::awaited_once<file_read_wait>,
                                           public detail::suspension {
public:
    [[nodiscard]] file_read_wait(const io::file& file,
                                 std::uint64_t offset,
                                 std::span<std::byte> data) noexcept
        : file_read_wait(file, offset, io::buffer_list{&one_, 1}) {
        one_ = data;
    }
    [[nodiscard]] file_read_wait(const io::file& file,
                                 std::uint64_t offset,
                                 io::buffer_list buffers) noexcept
        : file_(file), offset_(offset), buffers_(buffers) {
        read_.self = this;
    }
    [[nodiscard]] bool await_ready() const noexcept { return false; }
    template <class Promise>
    void await_suspend(std::coroutine_handle<Promise> coroutine) {
        suspend(coroutine, &cancel);
        const int buffer = home().arena()->buffer_index(buffers_);
        read_.start(home().backend(), file_, offset_, buffers_, buffer, &completed);
        listen();
    }
    [[nodiscard]] boost::system::result<std::size_t> await_resume() const noexcept {
        if (read_.error() == errc::cancelled) return make_error_code(stop_reason());
        if (read_.error()) return read_.error();
        return read_.count();
    }
    [[nodiscard]] where awaits() const noexcept override {
        std::size_t size = 0;
        for (const std::span<std::byte> one : buffers_) size += one.size();
        return {.doing = activity::read, .offset = offset_, .size = size};
    }

private:
    struct awaited_read : io::file_read {
        file_read_wait* self = nullptr;
    };
    static void completed(io::file_read& done) noexcept {
        static_cast<awaited_read&>(done).self->finish();
    }
    static void cancel(detail::suspension& self) noexcept {
        static_cast<file_read_wait&>(self).read_.cancel();
    }

    const io::file& file_;
    std::uint64_t offset_;
    std::span<std::byte> one_;  ///< the list of a single buffer
    io::buffer_list buffers_;
    awaited_read read_;
};

/// Opens `path` for reading through this shard's ring; relative to `directory` and not leaving it
/// if `beneath`, else as open(2) does with AT_FDCWD. `directory` must stay open as long as the
/// file. Throws leat::system_error: the system's (EXDEV where `path` leads out of the directory),
/// errc::not_regular, and errc::cancelled or errc::stopped after a stop request.
[[nodiscard]] task<io::file> open_file(std::string path, int directory, bool beneath);

}  // namespace leat
