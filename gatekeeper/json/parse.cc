#include "gatekeeper/json/parse.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gatekeeper/json/members.h"
#include "gatekeeper/json/number_token.h"
#include "gatekeeper/json/string_token.h"

namespace bootgate::gatekeeper::json {
namespace {

class Parser {
 public:
  Parser(absl::string_view text, Arena& arena, const ParseLimits& limits)
      : text_(text), arena_(arena), limits_(limits) {}

  absl::StatusOr<Value> Read();

 private:
  // An array or object that is not closed yet; its elements or members are pending_ from `first`
  // on.
  struct Open {
    size_t first = 0;
    bool object = false;
  };
  enum class Next { kValue, kValueDone, kFailed };

  void SkipSpace();
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  Next Wrong(absl::string_view what);
  Next Limit(absl::string_view what);
  Next StartValue();
  Next StartContainer(char opening);
  Next ReadName();
  Next ReadString(absl::string_view* out);
  Next ReadNumber();
  Next ReadWord(absl::string_view word, Value value);
  Next AfterValue();
  Next Close(char closing);
  bool CloseObject(const Open& open);
  bool CloseArray(const Open& open);

  const absl::string_view text_;
  Arena& arena_;
  const ParseLimits limits_;
  size_t at_ = 0;
  size_t nodes_ = 0;
  Value value_;  // the one just read
  std::vector<Open> open_;
  std::vector<Member> pending_;  // of all open containers, the innermost last
  absl::Status failure_;
};

void Parser::SkipSpace() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') return;
    ++at_;
  }
}

Parser::Next Parser::Wrong(absl::string_view what) {
  failure_ = absl::InvalidArgumentError(absl::StrCat(what, " at offset ", at_));
  return Next::kFailed;
}

Parser::Next Parser::Limit(absl::string_view what) {
  failure_ = absl::ResourceExhaustedError(absl::StrCat(what, " at offset ", at_));
  return Next::kFailed;
}

Parser::Next Parser::ReadWord(absl::string_view word, Value value) {
  if (text_.substr(at_, word.size()) != word) return Wrong("no JSON value");
  at_ += word.size();
  value_ = value;
  return Next::kValueDone;
}

Parser::Next Parser::ReadNumber() {
  const NumberToken token = ScanNumber(text_, at_);
  if (token.text.empty()) return Wrong("not a number");
  const auto value = NumberValue(token);
  if (!value) {
    failure_ = absl::OutOfRangeError(absl::StrCat("a number too large at offset ", at_));
    return Next::kFailed;
  }
  at_ += token.text.size();
  value_ = *value;
  return Next::kValueDone;
}

Parser::Next Parser::ReadString(absl::string_view* out) {
  const size_t start = ++at_;
  const StringToken token = ScanString(text_, start);
  if (!token.ok) {
    at_ = token.end;
    return Wrong(at_ >= text_.size() ? "the text ends inside a string"
                                     : "a byte that no string may hold");
  }
  *out = text_.substr(start, token.end - 1 - start);
  if (token.escaped) {
    const auto resolved = Unescape(*out, arena_);
    if (!resolved) return Wrong("an unknown escape in the string");
    if (arena_.exhausted()) return Limit("no memory left for the string");
    *out = *resolved;
  }
  at_ = token.end;
  return Next::kValueDone;
}

Parser::Next Parser::ReadName() {
  SkipSpace();
  if (Peek() != '"') return Wrong("no member name");
  absl::string_view name;
  if (ReadString(&name) == Next::kFailed) return Next::kFailed;
  SkipSpace();
  if (Peek() != ':') return Wrong("no colon after the member name");
  ++at_;
  pending_.push_back({name, Value()});
  return Next::kValue;
}

Parser::Next Parser::StartContainer(char opening) {
  if (open_.size() >= limits_.depth) return Limit("nested too deeply");
  open_.push_back({pending_.size(), opening == '{'});
  ++at_;
  SkipSpace();
  if (Peek() == (opening == '{' ? '}' : ']')) return Close(Peek());
  return opening == '{' ? ReadName() : Next::kValue;
}

Parser::Next Parser::StartValue() {
  SkipSpace();
  if (++nodes_ > limits_.nodes) return Limit("too many values");
  switch (Peek()) {
    case '{':
    case '[':
      return StartContainer(Peek());
    case '"': {
      absl::string_view text;
      if (ReadString(&text) == Next::kFailed) return Next::kFailed;
      value_ = Value::String(text);
      return Next::kValueDone;
    }
    case 't':
      return ReadWord("true", Value::Bool(true));
    case 'f':
      return ReadWord("false", Value::Bool(false));
    case 'n':
      return ReadWord("null", Value());
    default:
      return ReadNumber();
  }
}

bool Parser::CloseObject(const Open& open) {
  const absl::Span<Member> members = absl::MakeSpan(pending_).subspan(open.first);
  value_ = MakeObject(members.first(KeepLastOfEach(members)), arena_);
  return !arena_.exhausted();
}

bool Parser::CloseArray(const Open& open) {
  const absl::Span<Value> items = arena_.NewArray<Value>(pending_.size() - open.first);
  if (arena_.exhausted()) return false;
  for (size_t at = 0; at < items.size(); ++at) items[at] = pending_[open.first + at].value;
  value_ = Value::Array(items);
  return true;
}

Parser::Next Parser::Close(char closing) {
  const Open open = open_.back();
  if (closing != (open.object ? '}' : ']')) return Wrong("the wrong bracket");
  if (!(open.object ? CloseObject(open) : CloseArray(open))) return Limit("no memory left");
  ++at_;
  pending_.resize(open.first);
  open_.pop_back();
  return Next::kValueDone;
}

// Puts the value into its container and reads what follows.
Parser::Next Parser::AfterValue() {
  const Open& open = open_.back();
  if (open.object) {
    pending_.back().value = value_;
  } else {
    pending_.push_back({{}, value_});
  }
  SkipSpace();
  switch (Peek()) {
    case ',':
      ++at_;
      return open.object ? ReadName() : Next::kValue;
    case ']':
    case '}':
      return Close(Peek());
    default:
      return Wrong(at_ >= text_.size() ? "the text ends inside an array or object"
                                       : "neither comma nor closing bracket");
  }
}

absl::StatusOr<Value> Parser::Read() {
  constexpr size_t kMostBytes = std::numeric_limits<uint32_t>::max();
  if (text_.size() > std::min(limits_.text_bytes, kMostBytes)) {
    return absl::ResourceExhaustedError(absl::StrCat("a text of ", text_.size(), " bytes"));
  }
  Next next = Next::kValue;
  while (next == Next::kValue || (next == Next::kValueDone && !open_.empty())) {
    next = next == Next::kValue ? StartValue() : AfterValue();
  }
  if (next == Next::kFailed) return failure_;
  SkipSpace();
  if (at_ < text_.size()) {
    Wrong("more text behind the value");
    return failure_;
  }
  return value_;
}

}  // namespace

absl::StatusOr<Value> Parse(absl::string_view text, Arena& arena, const ParseLimits& limits) {
  return Parser(text, arena, limits).Read();
}

}  // namespace bootgate::gatekeeper::json
