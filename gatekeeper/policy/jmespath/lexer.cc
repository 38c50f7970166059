#include "gatekeeper/policy/jmespath/lexer.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gatekeeper/json/parse.h"
#include "gatekeeper/json/string_token.h"
#include "gatekeeper/json/utf8.h"

namespace bootgate::gatekeeper::policy::jmespath {
namespace {

struct Symbol {
  absl::string_view text;
  TokenKind kind;
};

// Longer ones before those that they begin with.
constexpr Symbol kSymbols[] = {
    {"[?", TokenKind::kOpenFilter}, {"[]", TokenKind::kFlatten},
    {"[", TokenKind::kOpenBracket}, {"]", TokenKind::kCloseBracket},
    {"||", TokenKind::kOr},         {"|", TokenKind::kPipe},
    {"&&", TokenKind::kAnd},        {"&", TokenKind::kAmpersand},
    {"!=", TokenKind::kNotEqual},   {"!", TokenKind::kNot},
    {"==", TokenKind::kEqual},      {"<=", TokenKind::kLessOrEqual},
    {"<", TokenKind::kLess},        {">=", TokenKind::kGreaterOrEqual},
    {">", TokenKind::kGreater},     {".", TokenKind::kDot},
    {"*", TokenKind::kStar},        {"{", TokenKind::kOpenBrace},
    {"}", TokenKind::kCloseBrace},  {"(", TokenKind::kOpenParen},
    {")", TokenKind::kCloseParen},  {",", TokenKind::kComma},
    {":", TokenKind::kColon},       {"@", TokenKind::kCurrent},
};

bool StartsName(char c) { return absl::ascii_isalpha(static_cast<uint8_t>(c)) || c == '_'; }
bool ContinuesName(char c) { return absl::ascii_isalnum(static_cast<uint8_t>(c)) || c == '_'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<uint8_t>(c)); }

class Lexer {
 public:
  Lexer(absl::string_view text, json::Arena& arena) : text_(text), arena_(arena) {}

  std::optional<Error> Run(std::vector<Token>* tokens);

 private:
  void SkipSpace();
  bool Next(Token* token);
  bool Name(Token* token);
  bool QuotedName(Token* token);
  bool Number(Token* token);
  bool Delimited(char quote, std::string* inside);
  bool RawString(Token* token);
  bool Literal(Token* token);
  bool SymbolToken(Token* token);
  bool Wrong(size_t position, absl::string_view what);

  const absl::string_view text_;
  json::Arena& arena_;
  size_t at_ = 0;
  Error error_;
};

bool Lexer::Wrong(size_t position, absl::string_view what) {
  error_ = {ErrorKind::kSyntax, position, std::string(what)};
  return false;
}

void Lexer::SkipSpace() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) {
    ++at_;
  }
}

bool Lexer::Name(Token* token) {
  const size_t start = at_;
  while (at_ < text_.size() && ContinuesName(text_[at_])) ++at_;
  token->kind = TokenKind::kName;
  token->name = text_.substr(start, at_ - start);
  return true;
}

bool Lexer::QuotedName(Token* token) {
  const size_t start = at_ + 1;
  const json::StringToken string = json::ScanString(text_, start);
  if (!string.ok) return Wrong(at_, "a quoted name that does not end or holds a control character");
  const auto name = json::Unescape(text_.substr(start, string.end - 1 - start), arena_);
  if (!name) return Wrong(at_, "an unknown escape in a quoted name");
  at_ = string.end;
  token->kind = TokenKind::kQuotedName;
  token->name = *name;
  return true;
}

bool Lexer::Number(Token* token) {
  const size_t start = at_++;
  while (at_ < text_.size() && IsDigit(text_[at_])) ++at_;
  token->kind = TokenKind::kNumber;
  if (absl::SimpleAtoi(text_.substr(start, at_ - start), &token->number)) return true;
  return Wrong(start, "an index that is no number or too large");
}

// What stands between the quotes, with the escaped quote resolved; other backslashes stay.
bool Lexer::Delimited(char quote, std::string* inside) {
  const size_t start = at_++;
  while (at_ < text_.size() && text_[at_] != quote) {
    const bool pair = text_[at_] == '\\' && at_ + 1 < text_.size();
    if (pair && text_[at_ + 1] != quote) inside->push_back(text_[at_]);
    if (pair) ++at_;
    inside->push_back(text_[at_++]);
  }
  if (at_ >= text_.size())
    return Wrong(start, absl::StrCat("no ", std::string(1, quote), " ends this literal"));
  ++at_;
  return true;
}

bool Lexer::RawString(Token* token) {
  std::string inside;
  if (!Delimited('\'', &inside)) return false;
  token->kind = TokenKind::kLiteral;
  token->literal = json::MakeString(inside, arena_);
  return true;
}

bool Lexer::Literal(Token* token) {
  const size_t start = at_;
  std::string inside;
  if (!Delimited('`', &inside)) return false;
  json::ParseLimits limits;
  limits.depth = 64;
  const auto value = json::Parse(arena_.Keep(inside), arena_, limits);
  if (!value.ok()) {
    return Wrong(start, absl::StrCat("not JSON between the backticks: ",
                                     absl::string_view(value.status().message())));
  }
  token->kind = TokenKind::kLiteral;
  token->literal = *value;
  return true;
}

bool Lexer::SymbolToken(Token* token) {
  for (const Symbol& symbol : kSymbols) {
    if (text_.substr(at_, symbol.text.size()) != symbol.text) continue;
    token->kind = symbol.kind;
    at_ += symbol.text.size();
    return true;
  }
  return Wrong(at_, "a character that has no meaning here");
}

bool Lexer::Next(Token* token) {
  const char c = text_[at_];
  if (StartsName(c)) return Name(token);
  if (c == '-' || IsDigit(c)) return Number(token);
  if (c == '"') return QuotedName(token);
  if (c == '\'') return RawString(token);
  if (c == '`') return Literal(token);
  return SymbolToken(token);
}

std::optional<Error> Lexer::Run(std::vector<Token>* tokens) {
  for (SkipSpace(); at_ < text_.size(); SkipSpace()) {
    Token token;
    token.position = static_cast<uint32_t>(at_);
    if (!Next(&token)) return error_;
    tokens->push_back(token);
  }
  Token end;
  end.position = static_cast<uint32_t>(text_.size());
  tokens->push_back(end);
  if (arena_.exhausted()) return Error{ErrorKind::kSyntax, 0, "the query is too large"};
  return std::nullopt;
}

}  // namespace

std::optional<Error> Tokenize(absl::string_view text, json::Arena& arena,
                              std::vector<Token>* tokens) {
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = json::CodePointBytes(text, at);
    if (bytes == 0) return Error{ErrorKind::kSyntax, at, "the query is not UTF-8"};
    at += bytes;
  }
  return Lexer(text, arena).Run(tokens);
}

}  // namespace bootgate::gatekeeper::policy::jmespath
