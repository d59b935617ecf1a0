// The folder that is served, as a source of chunks.
#pragma once

#include <leat/cache/file_source.hpp>

#include <memory>
#include <span>
#include <string>

namespace leat::serve {

/// Files below a folder, which no name and no link leads out of. As file_source, and a folder that
/// has been replaced, such as a link to the present release, is taken from the next second on;
/// where it is missing, the former one stays. Files that are open keep the one they came from.
class root_source {
public:
    struct file_type {
        std::shared_ptr<file_source> from;  // goes last
        io::file opened;
        [[nodiscard]] std::uint64_t size() const noexcept { return opened.size(); }
        [[nodiscard]] const file_version& version() const noexcept { return opened.version(); }
        [[nodiscard]] bool settled() const noexcept { return opened.settled(); }
    };
    static constexpr bool version_identifies = true;

    /// Throws leat::system_error if the folder cannot be opened.
    explicit root_source(std::string path);

    /// As file_source has them.
    [[nodiscard]] task<file_type> open(std::string name);
    [[nodiscard]] task<std::size_t> read(const file_type& file,
                                         std::uint64_t offset,
                                         std::span<std::byte> buffer,
                                         priority urgency);
    [[nodiscard]] task<std::size_t> read(const file_type& file,
                                         std::uint64_t offset,
                                         std::span<const std::span<std::byte>> buffers,
                                         priority urgency);

private:
    class folder;
    std::shared_ptr<folder> folder_;
};

}  // namespace leat::serve
