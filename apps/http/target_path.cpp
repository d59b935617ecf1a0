// Decodes paths segment by segment, and encodes them again.
#include "http/target_path.hpp"

#include "http/authority.hpp"
#include "http/text.hpp"

#include <algorithm>

namespace leat::http {

namespace {

/// A path that grows by decoded names.
class path_builder {
public:
    explicit path_builder(std::span<char> buffer) : buffer_(buffer) {}

    [[nodiscard]] std::string_view path() const { return {buffer_.data(), size_}; }

    /// Decodes a segment and goes where it leads.
    status enter(std::string_view segment) {
        const std::size_t parent = size_;
        if (parent != 0 && !put("/")) return status::uri_too_long;
        const std::size_t begin = size_;
        const status decoded = decode(segment);
        if (decoded != status::ok) return decoded;
        const std::string_view name = path().substr(begin);
        if (name == "..") {
            if (parent == 0) return status::bad_request;
            const std::size_t slash = path().substr(0, parent).rfind('/');
            size_ = slash == std::string_view::npos ? 0 : slash;
        } else if (name.empty() || name == ".") {
            size_ = parent;
        } else {
            names_folder_ = false;
            return status::ok;
        }
        names_folder_ = true;
        return status::ok;
    }

    /// The last segment was empty or of dots.
    [[nodiscard]] bool names_folder() const { return names_folder_; }

private:
    status decode(std::string_view segment) {
        for (;;) {
            const std::size_t plain = std::min(segment.find('%'), segment.size());
            if (!put(segment.substr(0, plain))) return status::uri_too_long;
            segment.remove_prefix(plain);
            if (segment.empty()) return status::ok;
            if (segment.size() < 3) return status::bad_request;
            const unsigned high = hex_value(segment[1]);
            const unsigned low = hex_value(segment[2]);
            if (high > 15 || low > 15 || (high | low) == 0) return status::bad_request;
            const auto letter = static_cast<char>(high << 4 | low);
            if (letter == '/') return status::not_found;
            if (!put({&letter, 1})) return status::uri_too_long;
            segment.remove_prefix(3);
        }
    }
    bool put(std::string_view letters) {
        if (letters.size() > buffer_.size() - size_) return false;
        std::copy(letters.begin(), letters.end(),
                  buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
        size_ += letters.size();
        return true;
    }

    std::span<char> buffer_;
    std::size_t size_ = 0;
    bool names_folder_ = true;
};

bool is_hidden(std::string_view path) {
    return path.starts_with('.') || path.find("/.") != path.npos;
}

/// Takes scheme and host off a target; false if it is of no form that names a path.
bool take_host(std::string_view& target, target_path& result) {
    if (target.starts_with('/')) return true;
    using form = target_path::form;
    result.written = target == "*" ? form::asterisk : form::authority;
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!equal_but_for_case(target.substr(0, scheme.size()), scheme)) continue;
        result.written = form::absolute;
        target.remove_prefix(scheme.size());
        const std::size_t end = std::min(target.find_first_of("/?"), target.size());
        result.host = target.substr(0, end);
        target.remove_prefix(end);
        return !result.host.empty() && result.host.front() != ':' && is_authority(result.host);
    }
    return false;
}

/// What a target may not have unescaped: blanks, controls, and a fragment, which clients keep.
constexpr letter_set foreign_letters{
    [](char one) { return is_control(one) || one == ' ' || one == '\t' || one == '#'; }};

bool is_foreign(char one) {
    return foreign_letters.contains(one);
}

constexpr bool is_unreserved(char one) {
    return is_letter_or_digit(one) || one == '-' || one == '.' || one == '_' || one == '~';
}

/// What may stand in a query as it is, its escapes included.
bool is_query_letter(char one) {
    return is_unreserved(one) ||
           std::string_view{"!$&'()*+,;=:@/?%"}.find(one) != std::string_view::npos;
}

/// Writes escaped text into a buffer; what does not fit makes all of it void.
class escaper {
public:
    explicit escaper(std::span<char> buffer) : buffer_(buffer) {}

    void put(char letter) {
        fits_ = fits_ && size_ < buffer_.size();
        if (fits_) buffer_[size_++] = letter;
    }
    template <class Kept>
    void escape(std::string_view text, Kept kept) {
        for (const char one : text) {
            if (kept(one)) {
                put(one);
                continue;
            }
            const auto byte = static_cast<unsigned char>(one);
            put('%');
            put("0123456789ABCDEF"[byte >> 4]);
            put("0123456789ABCDEF"[byte & 15]);
        }
    }
    [[nodiscard]] std::string_view text() const {
        return fits_ ? std::string_view{buffer_.data(), size_} : std::string_view{};
    }

private:
    std::span<char> buffer_;
    std::size_t size_ = 0;
    bool fits_ = true;
};

bool is_path_letter(char one) {
    return one == '/' || is_unreserved(one);
}

}  // namespace

target_path read_target(std::string_view target, std::span<char> buffer, bool dotfiles) noexcept {
    target_path result;
    result.refusal = status::bad_request;
    if (std::any_of(target.begin(), target.end(), is_foreign)) return result;
    if (!take_host(target, result)) return result;
    const std::size_t question = std::min(target.find('?'), target.size());
    result.query = target.substr(question);
    path_builder built{buffer};
    std::string_view rest = target.substr(0, question);
    for (bool more = true; more;) {
        const std::size_t slash = rest.find('/');
        more = slash != rest.npos;
        result.refusal = built.enter(rest.substr(0, slash));
        if (result.refusal != status::ok) return result;
        if (more) rest.remove_prefix(slash + 1);
    }
    result.path = built.path();
    result.folder = built.names_folder();
    if (!dotfiles && is_hidden(result.path)) result.refusal = status::not_found;
    return result;
}

std::string_view encode_path(std::string_view path, std::span<char> buffer) noexcept {
    escaper to{buffer};
    to.escape(path, is_path_letter);
    return to.text();
}

std::string_view folder_location(const target_path& asked, std::span<char> buffer) noexcept {
    escaper to{buffer};
    to.put('/');
    to.escape(asked.path, is_path_letter);
    if (!asked.path.empty()) to.put('/');
    to.escape(asked.query, is_query_letter);
    return to.text();
}

}  // namespace leat::http
