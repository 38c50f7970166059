// A query's text to tokens.
//
// Implements: the lexical part of the JMESPath grammar.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "gatekeeper/json/arena.h"
#include "gatekeeper/json/value.h"
#include "gatekeeper/policy/jmespath/error.h"

namespace bootgate::gatekeeper::policy::jmespath {

enum class TokenKind : uint8_t {
  kEnd,
  kName,        // unquoted
  kQuotedName,  // "..."
  kLiteral,     // `...` and '...'
  kNumber,
  kDot,
  kStar,
  kOpenBracket,
  kCloseBracket,
  kOpenFilter,  // [?
  kFlatten,     // []
  kOpenBrace,
  kCloseBrace,
  kOpenParen,
  kCloseParen,
  kComma,
  kColon,
  kPipe,
  kOr,
  kAmpersand,
  kAnd,
  kNot,
  kCurrent,
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  uint32_t position = 0;   // byte in the query
  absl::string_view name;  // of both kinds of names
  json::Value literal;
  int64_t number = 0;
};

// The last token is kEnd. Names and literals borrow `text` and `arena`.
std::optional<Error> Tokenize(absl::string_view text, json::Arena& arena,
                              std::vector<Token>* tokens);

}  // namespace bootgate::gatekeeper::policy::jmespath
