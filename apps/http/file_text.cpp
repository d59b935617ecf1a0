// Reads a file to its end.
#include "http/file_text.hpp"

#include <boost/system/system_error.hpp>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>

namespace leat::http {

std::string file_text(const std::string& path) {
    const auto fail = [&path] {
        throw boost::system::system_error{errno, boost::system::system_category(), path};
    };
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> from{std::fopen(path.c_str(), "rbe"),
                                                               &std::fclose};
    if (!from) fail();
    std::string text;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), from.get()))
        text.append(buffer.data(), size);
    if (std::ferror(from.get()) != 0) fail();
    return text;
}

}  // namespace leat::http
