#include "common/jose/strict_json.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::jose {
namespace {

using Json = nlohmann::json;

// Looks at every event of the text, keeps nothing but the names of the open objects.
class Guard : public nlohmann::json_sax<Json> {
 public:
  const std::string& complaint() const { return complaint_; }
  bool is_object() const { return is_object_; }

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }

  bool start_object(std::size_t) override {
    if (open_.empty()) is_object_ = true;
    return Open();
  }
  bool key(string_t& name) override {
    if (open_.back().insert(name).second) return true;
    complaint_ = absl::StrCat("the member \"", Printable(name, 64), "\" stands twice");
    return false;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(); }
  bool end_array() override { return Close(); }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    complaint_ = absl::StrCat("no JSON at position ", position);
    return false;
  }

 private:
  bool Open() {
    if (open_.size() >= kMaxJsonDepth) {
      complaint_ = absl::StrCat("nested deeper than ", kMaxJsonDepth);
      return false;
    }
    open_.emplace_back();
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> open_;  // an array's stays empty
  bool is_object_ = false;
  std::string complaint_;
};

constexpr absl::string_view kByteOrderMark = "\xef\xbb\xbf";  // the library would skip it

}  // namespace

absl::Status CheckStrictJson(absl::string_view text, size_t max_bytes, absl::string_view what,
                             TopLevel top) {
  const auto bad = [&](absl::string_view why) {
    return Malformed(Reason::kJwsParse, absl::StrCat(what, ": ", why));
  };
  if (text.size() > max_bytes) {
    return bad(absl::StrCat(text.size(), " bytes, at most ", max_bytes, " are accepted"));
  }
  if (absl::StartsWith(text, kByteOrderMark)) return bad("begins with a byte order mark");
  Guard guard;
  if (!Json::sax_parse(text.begin(), text.end(), &guard)) return bad(guard.complaint());
  if (top == TopLevel::kObject && !guard.is_object()) return bad("no JSON object");
  return absl::OkStatus();
}

}  // namespace bootgate::jose
