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
                return "every chunk stayed pinned until the deadline";
            case errc::no_buffer:
                return "no buffer is free: they are being filled or on their way back";
            case errc::file_changed:
                return "the file has changed since it was opened";
            case errc::closed:
                return "the file is not open";
            case errc::not_regular:
                return "this is neither a regular file nor a block device";
            case errc::cancelled:
                return "the operation was cancelled";
            case errc::timed_out:
                return "the deadline passed";
            case errc::stopped:
                return "the engine is stopping or has stopped";
            case errc::no_backend:
                return "the demanded I/O backend cannot be had here";
            case errc::budget_too_small:
                return "the memory given does not suffice for two chunks a shard";
            case errc::short_read:
                return "the source gave fewer bytes than the file has there";
            case errc::bad_answer:
                return "the source gave more bytes than it was asked for";
            case errc::invalid_option:
                return "the option's value is not one of those allowed";
            case errc::unhandled_exception:
                return "a task ended by an exception that is no error code";
        }
        return "unknown error of leat";
    }
};
#pragma GCC diagnostic pop

}  // namespace

const boost::system::error_category& error_category() noexcept {
    static const leat_category category;
    return category;
}

}  // namespace leat
