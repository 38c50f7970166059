#include "gatekeeper/json/canonical.h"

#include <charconv>
#include <vector>

namespace bootgate::gatekeeper::json {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr size_t kIndent = 2;  // spaces for each level

// How a control character, `"` or `\` is written.
void AppendEscaped(char c, std::string* out) {
  switch (c) {
    case '\b':
      out->append("\\b");
      return;
    case '\f':
      out->append("\\f");
      return;
    case '\n':
      out->append("\\n");
      return;
    case '\r':
      out->append("\\r");
      return;
    case '\t':
      out->append("\\t");
      return;
    case '"':
    case '\\':
      out->push_back('\\');
      out->push_back(c);
      return;
    default:
      out->append("\\u00");
      out->push_back(kHex[static_cast<uint8_t>(c) >> 4]);
      out->push_back(kHex[static_cast<uint8_t>(c) & 0xF]);
  }
}

bool IsEscaped(char c) { return (c >= 0 && c < 0x20) || c == '"' || c == '\\'; }

class Writer {
 public:
  Writer(Budget& budget, bool indented) : budget_(budget), indented_(indented) {}

  std::optional<std::string> Write(const Value& value);

 private:
  // An array or object whose parts are being written; `next` is the part to come.
  struct Open {
    Value value;
    size_t next = 0;
  };

  bool Put(const Value& value);
  bool PutNext();
  bool PutPart(Open& open);
  bool Pay();
  void Separate(const Open& open);
  void NewLine(size_t depth);
  static size_t SizeOf(const Value& value);

  Budget& budget_;
  const bool indented_;
  std::vector<Open> open_;
  std::string out_;
  size_t paid_bytes_ = 0;
};

size_t Writer::SizeOf(const Value& value) {
  return value.is_array() ? value.items().size() : value.members().size();
}

// Pays for what was written since the last time.
bool Writer::Pay() {
  const size_t grown = out_.size() - paid_bytes_;
  paid_bytes_ = out_.size();
  return budget_.Bytes(static_cast<int64_t>(grown));
}

void Writer::NewLine(size_t depth) {
  if (!indented_) return;
  out_.push_back('\n');
  out_.append(depth * kIndent, ' ');
}

bool Writer::Put(const Value& value) {
  if (!budget_.Step() || !value.Force()) return false;
  switch (value.kind()) {
    case Kind::kNull:
      out_.append("null");
      break;
    case Kind::kFalse:
      out_.append("false");
      break;
    case Kind::kTrue:
      out_.append("true");
      break;
    case Kind::kInteger: {
      char digits[24];
      out_.append(digits, std::to_chars(digits, digits + sizeof(digits), value.integer()).ptr);
      break;
    }
    case Kind::kBigInteger:
      out_.append(value.text().data(), value.text().size());
      break;
    case Kind::kReal:
      out_.append(RealText(value.real()));
      break;
    case Kind::kString:
      if (static_cast<int64_t>(value.text().size()) > budget_.bytes_left()) return false;
      AppendQuoted(value.text(), &out_);
      break;
    case Kind::kArray:
    case Kind::kObject:
      out_.push_back(value.is_array() ? '[' : '{');
      open_.push_back({value, 0});
      break;
  }
  return Pay();
}

void Writer::Separate(const Open& open) {
  if (open.next > 0) out_.push_back(',');
  NewLine(open_.size());
}

// Writes the next part of the innermost container.
bool Writer::PutPart(Open& open) {
  Separate(open);
  if (open.value.is_array()) return Put(open.value.items()[open.next++]);
  const Member& member = open.value.members()[open.next++];
  if (static_cast<int64_t>(member.name.size()) > budget_.bytes_left()) return false;
  AppendQuoted(member.name, &out_);
  out_.append(indented_ ? ": " : ":");
  return Put(member.value);
}

bool Writer::PutNext() {
  Open& open = open_.back();
  if (open.next < SizeOf(open.value)) return PutPart(open);
  const char closing = open.value.is_array() ? ']' : '}';
  const bool empty = open.next == 0;
  open_.pop_back();
  if (!empty) NewLine(open_.size());
  out_.push_back(closing);
  return Pay();
}

std::optional<std::string> Writer::Write(const Value& value) {
  if (!Put(value)) return std::nullopt;
  while (!open_.empty()) {
    if (!PutNext()) return std::nullopt;
  }
  return std::move(out_);
}

}  // namespace

void AppendQuoted(absl::string_view text, std::string* out) {
  out->push_back('"');
  size_t plain = 0;  // where the part that needs no escape starts
  for (size_t at = 0; at < text.size(); ++at) {
    if (!IsEscaped(text[at])) continue;
    out->append(text.data() + plain, at - plain);
    AppendEscaped(text[at], out);
    plain = at + 1;
  }
  out->append(text.data() + plain, text.size() - plain);
  out->push_back('"');
}

std::optional<std::string> CanonicalText(const Value& value, Budget& budget) {
  return Writer(budget, false).Write(value);
}

std::optional<std::string> IndentedText(const Value& value, Budget& budget) {
  return Writer(budget, true).Write(value);
}

}  // namespace bootgate::gatekeeper::json
