// Without coroutines: each answer calls a function.
#include <leat/asio.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <cstdio>

namespace asio = boost::asio;

class first_page {
    template <class Function>
    auto bound(Function function) {
        return asio::bind_executor(context_.get_executor(), std::move(function));
    }

public:
    first_page(asio::io_context& context, const leat::chunk_manager& manager)
        : context_(context), manager_(manager) {}

    void start(const char* path) {
        // Bound to the io_context, the function is called by its thread and not by a shard.
        leat::async_open(manager_, path, bound([this](auto error, leat::file file) {
                             if (error) return fail(error);
                             get(std::move(file));
                         }));
    }
    [[nodiscard]] bool done() const noexcept { return done_; }

private:
    void get(leat::file file) {
        const auto size = static_cast<std::uint32_t>(std::min<std::uint64_t>(file.size(), 4096));
        const leat::chunk_config page{file, 0, size};
        // The file stays open as long as its last handle, here the function's.
        leat::async_get_chunk(manager_, page, bound([this, file](auto error, leat::slice slice) {
                                  if (error) return fail(error);
                                  std::printf("%zu bytes\n", slice.size());
                                  done_ = true;
                              }));
    }
    void fail(boost::system::error_code error) {
        std::fprintf(stderr, "%s\n", error.message().c_str());
    }

    asio::io_context& context_;
    const leat::chunk_manager& manager_;
    bool done_ = false;
};

int main(int, char** arguments) {
    leat::engine engine{{.shards = 1, .memory = 64 * leat::MiB}};
    leat::chunk_manager manager{engine, leat::file_source{}};
    engine.start();
    asio::io_context context;
    first_page page{context, manager};
    page.start(arguments[1]);
    context.run();
    return page.done() ? 0 : 1;
}
