// A source of which the cache does not know the type.
#pragma once

#include <leat/cache/chunk_source.hpp>
#include <leat/engine/task.hpp>
#include <leat/io/error.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

namespace leat::detail {

/// What is wrong with a source that says it gave `given` bytes for a buffer of `asked` that begins
/// `left` bytes before the end of the file.
[[nodiscard]] inline boost::system::error_code judge_answer(std::uint64_t given,
                                                            std::uint64_t asked,
                                                            std::uint64_t left) noexcept {
    if (given > asked) return errc::bad_answer;
    if (given < std::min(asked, left)) return errc::short_read;
    return {};
}

/// A chunk_source without its type.
class any_source {
public:
    struct opened_file {
        virtual ~opened_file() = default;
    };
    struct opening {
        std::unique_ptr<opened_file> file;
        std::uint64_t size = 0;
        file_version version;
        std::string name;     ///< what tells it from others of this version, or empty
        bool settled = true;  ///< no later version compares equal
    };
    virtual ~any_source() = default;
    virtual task<opening> open(std::string name) = 0;
    virtual task<std::size_t> read(opened_file& file,
                                   std::uint64_t offset,
                                   std::span<std::byte> buffer,
                                   priority urgency) = 0;
};

template <chunk_source S>
class source_model final : public any_source {
public:
    explicit source_model(S source) : source_(std::move(source)) {}

    task<opening> open(std::string name) override {
        opening result;
        if constexpr (!identified_by_version) result.name = name;
        typename S::file_type opened = co_await source_.open(std::move(name));
        if constexpr (requires { opened.settled(); }) result.settled = opened.settled();
        result.size = std::as_const(opened).size();
        result.version = std::as_const(opened).version();
        result.file = std::make_unique<holder>(std::move(opened));
        co_return result;
    }
    task<std::size_t> read(opened_file& file,
                           std::uint64_t offset,
                           std::span<std::byte> buffer,
                           priority urgency) override {
        return source_.read(static_cast<holder&>(file).file, offset, buffer, urgency);
    }

private:
    static constexpr bool identified_by_version = requires { requires S::version_identifies; };

    struct holder final : opened_file {
        explicit holder(typename S::file_type opened) : file(std::move(opened)) {}
        typename S::file_type file;
    };
    S source_;
};

}  // namespace leat::detail
