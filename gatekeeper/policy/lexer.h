// Policy text to tokens, one at a time.
//
// Implements: policy language specification, sections 2.1 to 2.3.
// Not here: keywords. They are contextual, so the parser knows them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gatekeeper/policy/diagnostics.h"
#include "gatekeeper/policy/text.h"

namespace bootgate::gatekeeper::policy {

enum class TokenKind {
  kEnd,
  kBad,  // not a token: bad_kind and bad_message say why
  kIdentifier,
  kString,
  kInteger,
  kVersion,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kLeftParen,
  kRightParen,
  kSemicolon,
  kColon,
  kComma,
  kDot,
  kAssign,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kAnd,
  kArrow,
  kNot,
};

// How the grammar names a kind of token: "';'", "a string", ...
absl::string_view Describe(TokenKind kind);

struct Token {
  TokenKind kind = TokenKind::kEnd;
  Place place;
  absl::string_view text;  // as written; borrowed from the policy
  std::string string;      // kString: escapes resolved
  int64_t integer = 0;     // kInteger
  std::string bad_kind, bad_message;
};

// Borrows the text, which must be UTF-8, and the list. The end is given again and again; what
// follows a bad token means nothing.
class Lexer {
 public:
  Lexer(absl::string_view text, WarningList* warnings) : cursor_(text), warnings_(warnings) {}

  Token Next();
  // The same, but "1.2" is one token: the place after "version =".
  Token NextVersion();

 private:
  void SkipBlank();
  Token Start() const;
  Token Identifier();
  Token String();
  Token Integer();
  Token Hexadecimal();
  Token Punctuation();
  Token Take(Token token, TokenKind kind, size_t bytes);
  Token Bad(Token token, absl::string_view kind, std::string message);

  Cursor cursor_;
  WarningList* warnings_;
};

}  // namespace bootgate::gatekeeper::policy
