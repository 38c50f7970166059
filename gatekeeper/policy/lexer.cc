#include "gatekeeper/policy/lexer.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"

namespace bootgate::gatekeeper::policy {
namespace {

struct KindName {
  TokenKind kind;
  absl::string_view text;  // as written
};

// Longer ones first: the first that fits is taken.
constexpr KindName kPunctuation[] = {
    {TokenKind::kEqual, "=="},        {TokenKind::kArrow, "=>"},
    {TokenKind::kNotEqual, "!="},     {TokenKind::kLessEqual, "<="},
    {TokenKind::kGreaterEqual, ">="}, {TokenKind::kAnd, "&&"},
    {TokenKind::kLeftBrace, "{"},     {TokenKind::kRightBrace, "}"},
    {TokenKind::kLeftBracket, "["},   {TokenKind::kRightBracket, "]"},
    {TokenKind::kLeftParen, "("},     {TokenKind::kRightParen, ")"},
    {TokenKind::kSemicolon, ";"},     {TokenKind::kColon, ":"},
    {TokenKind::kComma, ","},         {TokenKind::kDot, "."},
    {TokenKind::kAssign, "="},        {TokenKind::kLess, "<"},
    {TokenKind::kGreater, ">"},       {TokenKind::kNot, "!"},
};

// The quotes that word processors and web pages put for ".
constexpr absl::string_view kTypographicQuotes[] = {
    "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x9e", "\xe2\x80\x9f", "\xe2\x80\x98",
    "\xe2\x80\x99", "\xe2\x80\x9a", "\xe2\x80\x9b", "\xc2\xab",     "\xc2\xbb",
};

bool IsIdentifierStart(char c) { return absl::ascii_isalpha(static_cast<uint8_t>(c)) || c == '_'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<uint8_t>(c)); }
bool IsIdentifierPart(char c) { return IsIdentifierStart(c) || IsDigit(c); }
bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<uint8_t>(c)); }

template <typename Predicate>
size_t CountWhile(absl::string_view text, size_t from, Predicate holds) {
  size_t end = from;
  while (end < text.size() && holds(text[end])) ++end;
  return end - from;
}

bool StartsWithTypographicQuote(absl::string_view text) {
  for (const absl::string_view quote : kTypographicQuotes) {
    if (absl::StartsWith(text, quote)) return true;
  }
  return false;
}

}  // namespace

absl::string_view Describe(TokenKind kind) {
  switch (kind) {
    case TokenKind::kEnd:
      return "the end of the text";
    case TokenKind::kBad:
      return "this character";
    case TokenKind::kIdentifier:
      return "an identifier";
    case TokenKind::kString:
      return "a string";
    case TokenKind::kInteger:
      return "an integer";
    case TokenKind::kVersion:
      return "a version such as 1.0";
    default:
      break;
  }
  for (const KindName& row : kPunctuation) {
    if (row.kind == kind) return row.text;
  }
  return "a token";
}

Token Lexer::Next() {
  SkipBlank();
  if (cursor_.at_end()) return Start();
  const char c = cursor_.Peek();
  if (IsIdentifierStart(c)) return Identifier();
  if (c == '"') return String();
  if (IsDigit(c) || (c == '-' && IsDigit(cursor_.Peek(1)))) return Integer();
  return Punctuation();
}

Token Lexer::NextVersion() {
  SkipBlank();
  const absl::string_view rest = cursor_.rest();
  const size_t major = CountWhile(rest, 0, IsDigit);
  if (major == 0 || cursor_.Peek(major) != '.') return Next();
  const size_t minor = CountWhile(rest, major + 1, IsDigit);
  if (minor == 0) return Next();
  return Take(Start(), TokenKind::kVersion, major + 1 + minor);
}

void Lexer::SkipBlank() {
  while (!cursor_.at_end()) {
    const char c = cursor_.Peek();
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      cursor_.Advance();
    } else if (c == '/' && cursor_.Peek(1) == '/') {
      cursor_.Advance(CountWhile(cursor_.rest(), 0, [](char d) { return d != '\n'; }));
    } else {
      return;
    }
  }
}

Token Lexer::Start() const {
  Token token;
  token.place = cursor_.place();
  return token;
}

Token Lexer::Take(Token token, TokenKind kind, size_t bytes) {
  token.kind = kind;
  token.text = cursor_.rest().substr(0, bytes);
  cursor_.Advance(bytes);
  return token;
}

// A bad token is not stepped over: nothing after it would mean anything.
Token Lexer::Bad(Token token, absl::string_view kind, std::string message) {
  token.kind = TokenKind::kBad;
  token.bad_kind = std::string(kind);
  token.bad_message = std::move(message);
  return token;
}

Token Lexer::Identifier() {
  return Take(Start(), TokenKind::kIdentifier, CountWhile(cursor_.rest(), 0, IsIdentifierPart));
}

Token Lexer::String() {
  Token token = Start();
  const absl::string_view from = cursor_.rest();
  const size_t begin = cursor_.offset();
  cursor_.Advance();
  while (true) {
    const char c = cursor_.Peek();
    if (cursor_.at_end() || c == '\n' || c == '\r') {
      return Bad(std::move(token), "syntax", "the string does not end on its line");
    }
    const Place place = cursor_.place();
    cursor_.Advance();
    if (c == '"') break;
    const char next = cursor_.Peek();
    if (c == '\\' && (next == '"' || next == '\\')) {
      token.string.push_back(next);
      cursor_.Advance();
      continue;
    }
    if (c == '\\' && !cursor_.at_end()) warnings_->Add(WarningCode::kBackslash, place);
    token.string.push_back(c);
  }
  token.kind = TokenKind::kString;
  token.text = from.substr(0, cursor_.offset() - begin);
  return token;
}

Token Lexer::Integer() {
  if (cursor_.Peek() == '0' && (cursor_.Peek(1) | 0x20) == 'x' && IsHexDigit(cursor_.Peek(2))) {
    return Hexadecimal();
  }
  const size_t sign = cursor_.Peek() == '-' ? 1 : 0;
  const size_t digits = CountWhile(cursor_.rest(), sign, IsDigit);
  Token token = Start();
  if (!absl::SimpleAtoi(cursor_.rest().substr(0, sign + digits), &token.integer)) {
    return Bad(std::move(token), "overflow", "the integer does not fit into signed 64 bits");
  }
  return Take(std::move(token), TokenKind::kInteger, sign + digits);
}

Token Lexer::Hexadecimal() {
  Token token = Start();
  const size_t digits = CountWhile(cursor_.rest(), 2, IsHexDigit);
  if (!absl::SimpleHexAtoi(cursor_.rest().substr(2, digits), &token.integer)) {
    return Bad(std::move(token), "overflow", "the integer does not fit into signed 64 bits");
  }
  warnings_->Add(WarningCode::kHexadecimal, token.place);
  return Take(std::move(token), TokenKind::kInteger, 2 + digits);
}

Token Lexer::Punctuation() {
  const absl::string_view rest = cursor_.rest();
  for (const KindName& row : kPunctuation) {
    if (absl::StartsWith(rest, row.text)) return Take(Start(), row.kind, row.text.size());
  }
  if (StartsWithTypographicQuote(rest)) {
    return Bad(Start(), "syntax", "a typographic quote is no quote: write \" instead");
  }
  const absl::string_view character = rest.substr(0, SequenceLength(rest));
  return Bad(Start(), "syntax",
             absl::StrCat("the character '", Printable(character), "' is not allowed here"));
}

}  // namespace bootgate::gatekeeper::policy
