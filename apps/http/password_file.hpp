// A file of names and hashed passwords, as htpasswd writes it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace leat::http {

/// Names and passwords, hashed by bcrypt: lines "NAME:$2y$COST$...", as `htpasswd -B` writes them.
/// Immutable: any thread.
class password_file {
public:
    /// Reads a file. Throws boost::system::system_error if it cannot be read, std::runtime_error as
    /// from_text does.
    [[nodiscard]] static password_file read(const std::string& path);

    /// Throws std::runtime_error with a sentence that names the line if one is malformed, has a
    /// hash of another kind (plain text, MD5, SHA-1 and crypt's others can be guessed too fast), or
    /// a name that another line has.
    [[nodiscard]] static password_file from_text(std::string_view text);

    /// Whether the name is there and the password is its own. Takes as long as the hash does, some
    /// 0.1 s at cost 10: call it where that blocks nothing. An unknown name takes as long as the
    /// costliest known one, and comparing takes the same time whatever differs, so time tells
    /// nothing. Passwords of more than 72 bytes, which bcrypt would cut, are refused.
    [[nodiscard]] bool accepts(std::string_view user, std::string_view password) const;

    [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }

private:
    std::map<std::string, std::string, std::less<>> users_;  // hashes by names
    std::string nobody_;  // a setting of the costliest hash, for unknown names
};

}  // namespace leat::http
