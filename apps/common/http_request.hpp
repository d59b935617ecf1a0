// The head of an HTTP request as the programs read it.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace leat::apps {

/// A request's head, and what Beast knows of the content behind it, which is not read.
using http_request = boost::beast::http::request_parser<boost::beast::http::empty_body>;

}  // namespace leat::apps
