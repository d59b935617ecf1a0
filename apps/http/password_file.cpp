// Reads htpasswd files, and asks libcrypt.
#include "http/password_file.hpp"

#include "http/file_text.hpp"
#include "http/text.hpp"

#include <crypt.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace leat::http {

namespace {

/// bcrypt takes no more of a password.
constexpr std::size_t longest_password = 72;

constexpr std::size_t prefix_bytes = 7;  // "$2y$10$"
constexpr std::size_t hash_bytes = 60;   // prefix, 22 letters of salt, 31 of the hash
constexpr std::string_view some_salt = "leatleatleatleatleatle";

bool is_hash_letter(char one) {
    return is_letter_or_digit(one) || one == '.' || one == '/';
}

/// Whether it is a hash of bcrypt. $2x$ marks those of an old fault.
bool is_bcrypt(std::string_view hash) {
    if (hash.size() != hash_bytes || !hash.starts_with("$2")) return false;
    const bool known = hash[2] == 'y' || hash[2] == 'b' || hash[2] == 'a';
    if (!known || hash[3] != '$' || hash[6] != '$') return false;
    const std::string_view cost = hash.substr(4, 2);
    const bool has_cost = is_digit(cost[0]) && is_digit(cost[1]) && cost >= "04" && cost <= "31";
    return has_cost && std::all_of(hash.begin() + prefix_bytes, hash.end(), is_hash_letter);
}

[[noreturn]] void fail(std::size_t line, const std::string& what) {
    throw std::runtime_error{"line " + std::to_string(line) + ": " + what};
}

/// In a time that does not depend on where they differ.
bool equal_in_secret(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i)
        difference |= static_cast<unsigned char>(left[i] ^ right[i]);
    return difference == 0;
}

}  // namespace

password_file password_file::read(const std::string& path) {
    return from_text(file_text(path));
}

password_file password_file::from_text(std::string_view text) {
    password_file made;
    made.nobody_ = "$2y$10$" + std::string{some_salt};
    std::string_view costliest;
    for (std::size_t number = 1; !text.empty(); ++number) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.starts_with('#')) continue;
        const std::size_t colon = line.find(':');
        if (colon == line.npos || colon == 0) fail(number, "it is not of the form NAME:HASH");
        const std::string name{line.substr(0, colon)};
        const std::string_view hash = line.substr(colon + 1);
        if (!is_bcrypt(hash))
            fail(number,
                 "the hash of " + name + "'s password is not bcrypt's; htpasswd makes one with -B");
        costliest = std::max(costliest, hash.substr(4, 2));
        if (!made.users_.try_emplace(name, hash).second)
            fail(number, "the name " + name + " is that of another line, too");
    }
    if (!costliest.empty()) made.nobody_.replace(4, 2, costliest);
    return made;
}

bool password_file::accepts(std::string_view name, std::string_view password) const {
    if (password.size() > longest_password || password.find('\0') != password.npos) return false;
    const auto found = users_.find(name);
    const bool known = found != users_.end();
    const std::string& setting = known ? found->second : nobody_;
    const auto room = std::make_unique<crypt_data>();  // 32 KiB
    std::string phrase{password};
    const char* const made = ::crypt_r(phrase.c_str(), setting.c_str(), room.get());
    const bool fits = made != nullptr && equal_in_secret(made, setting);
    ::explicit_bzero(room.get(), sizeof *room);
    ::explicit_bzero(phrase.data(), phrase.size());
    return known && fits;
}

}  // namespace leat::http
