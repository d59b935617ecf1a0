// The messages of the category "leat".
#include <leat/io/error.hpp>

#include <string>

namespace leat {

namespace {

// Boost leaves the base's destructor public for GCC's sake; nobody deletes a category.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class leat_category final : public boost::system::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "leat"; }

    [[nodiscard]] std::string message(int value) const override { return text(value); }

    [[nodiscard]] const char* message(int value, char*, std::size_t) const noexcept override {
        return text(value);
    }

private:
    [[nodiscard]] static const char* text(int value) noexcept {
        switch (static_cast<errc>(value)) {
            case errc::out_of_range:
                return "the range is empty or lies beyond the end of the file";
            case errc::crosses_chunk:
                return "the range does not lie inside one chunk";
            case errc::all_pinned:
                return "every chunk is pinned";
            case errc::no_buffer:
                return "no buffer is free at the moment, though not all are pinned";
            case errc::file_changed:
                return "the file has changed since it was opened";
            case errc::closed:
                return "the file is not open";
            case errc::not_regular:
                return "neither a regular file nor a block device";
            case errc::cancelled:
                return "the operation was cancelled";
            case errc::timed_out:
                return "the deadline passed";
            case errc::stopped:
                return "the engine is stopping or has stopped";
            case errc::no_backend:
                return "the requested I/O backend is not available";
            case errc::budget_too_small:
                return "the memory is too small for two chunks on each shard";
            case errc::short_read:
                return "the source returned fewer bytes than the file has there";
            case errc::bad_answer:
                return "the source returned more bytes than were asked for";
            case errc::invalid_option:
                return "the value of the option is not allowed";
            case errc::unhandled_exception:
                return "a task ended with an exception that carries no error code";
        }
        return "unknown leat error";
    }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& error_category() noexcept {
    static const leat_category category;
    return category;
}

}  // namespace leat
