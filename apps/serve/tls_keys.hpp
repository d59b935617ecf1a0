// The certificate and key of a server that speaks TLS.
#pragma once

#include <boost/asio/ssl/context.hpp>

#include <atomic>
#include <memory>
#include <string>

namespace leat::serve {

/// What new connections begin TLS with; read again on request. Any thread.
class tls_keys {
public:
    /// Reads both, in PEM form; `key` may be empty if the certificate's file has it, too. Throws
    /// std::runtime_error with a sentence that names the file.
    tls_keys(std::string certificate, std::string key);

    /// TLS 1.2 and 1.3, with session tickets, and http/1.1 by ALPN.
    [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> present() const noexcept {
        return context_.load();
    }
    /// Reads the files again. If that fails, what was read before stays, and the sentence says why;
    /// else it is empty.
    [[nodiscard]] std::string reload();

private:
    [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> read() const;

    const std::string certificate_;
    const std::string key_;
    std::atomic<std::shared_ptr<boost::asio::ssl::context>> context_;
};

}  // namespace leat::serve
