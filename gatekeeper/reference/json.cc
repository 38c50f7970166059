// The file form of a reference: JSON, pretty-printed, keys sorted, the same bytes for the same
// values.
//
//   {"banks": {"sha256": {"7": {"events": [{"description","digest","key","type"}], "value": hex}}},
//    "format": "bootgate-reference/1",
//    "ima": null or {"buffers": [FILE], "files": [FILE], "unlisted": "comparable|fail|warn",
//                    "rules": RULES, which may be left out: ima_rules.h},
//    "learned_at", "learned_from", "name"}
//   FILE: {"digests": ["sha256:hex"], "path": text}; a path that is not UTF-8 is "path_hex": hex.
#include "nlohmann/json.hpp"

#include <algorithm>
#include <charconv>
#include <exception>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/reference.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Json = nlohmann::json;

constexpr char kFormat[] = "bootgate-reference/1";
constexpr size_t kMaxBytes = size_t{16} << 20;
constexpr int kMaxDepth = 8;
constexpr int kIndent = 1;

const char* NameOf(Unlisted unlisted) {
  switch (unlisted) {
    case Unlisted::kFail:
      return "fail";
    case Unlisted::kComparable:
      return "comparable";
    case Unlisted::kWarn:
      return "warn";
  }
  __builtin_unreachable();
}

bool IsUtf8(absl::string_view text) {
  try {
    (void)Json(std::string(text)).dump();
    return true;
  } catch (const Json::exception&) {
    return false;
  }
}

Json FilesJson(const std::map<std::string, std::set<std::string>>& files) {
  Json out = Json::array();
  for (const auto& [path, digests] : files) {
    Json row;
    if (IsUtf8(path))
      row["path"] = path;
    else
      row["path_hex"] = ToHex(AsBytes(path));
    row["digests"] = digests;
    out.push_back(std::move(row));
  }
  return out;
}

Json RegisterJson(const RegisterReference& reference) {
  Json events = Json::array();
  for (const ReferenceEvent& event : reference.events) {
    events.push_back({{"digest", event.digest.hex()},
                      {"type", event.type},
                      {"key", event.key},
                      {"description", event.description}});
  }
  return {{"value", reference.value.hex()}, {"events", std::move(events)}};
}

// Reads the parts of a reference; every error names the place as a path: "banks.sha256.7.value".
class Loader {
 public:
  absl::StatusOr<Reference> Load(const Json& json) {
    BG_RETURN_IF_ERROR(
        Object(json, "", {"banks", "format", "ima", "learned_at", "learned_from", "name"}));
    BG_ASSIGN_OR_RETURN(const std::string format, Text(json["format"], "format"));
    if (format != kFormat) return Bad("format", absl::StrCat("is not \"", kFormat, "\""));
    Reference out;
    BG_ASSIGN_OR_RETURN(out.name, Text(json["name"], "name"));
    BG_ASSIGN_OR_RETURN(out.learned_from, Text(json["learned_from"], "learned_from"));
    BG_ASSIGN_OR_RETURN(out.learned_at, Text(json["learned_at"], "learned_at"));
    BG_RETURN_IF_ERROR(LoadBanks(json["banks"], &out));
    BG_RETURN_IF_ERROR(LoadIma(json["ima"], &out.ima));
    return out;
  }

 private:
  static absl::Status Bad(absl::string_view place, absl::string_view what) {
    return Malformed(Reason::kReferenceParse,
                     absl::StrCat(place.empty() ? "the reference" : Printable(place), " ", what));
  }

  // All of `keys`, perhaps `optional`, and no other.
  static absl::Status Object(const Json& json, const std::string& place,
                             const std::vector<std::string>& keys,
                             const std::string& optional = "") {
    if (!json.is_object()) return Bad(place, "is not an object");
    for (const auto& [key, value] : json.items()) {
      if (std::find(keys.begin(), keys.end(), key) != keys.end()) continue;
      if (!optional.empty() && key == optional) continue;
      const std::string meant = NearestName(key, keys);
      return Bad(place, absl::StrCat(
                            "has the unknown key \"", Printable(key, 64), "\"",
                            meant.empty() ? "" : absl::StrCat("; did you mean \"", meant, "\"?")));
    }
    for (const std::string& key : keys) {
      if (!json.contains(key)) return Bad(place, absl::StrCat("lacks the key \"", key, "\""));
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<std::string> Text(const Json& json, const std::string& place) {
    if (!json.is_string()) return Bad(place, "is not a text");
    return json.get<std::string>();
  }

  static absl::StatusOr<crypto::Digest> DigestIn(const Json& json, const std::string& place,
                                                 crypto::HashAlg alg) {
    BG_ASSIGN_OR_RETURN(const std::string text, Text(json, place));
    const absl::StatusOr<Bytes> bytes = FromHex(text);
    if (!bytes.ok()) return Bad(place, "is not hexadecimal");
    absl::StatusOr<crypto::Digest> digest = crypto::Digest::From(alg, *bytes);
    if (!digest.ok()) return Bad(place, absl::StrCat("has not the size of ", crypto::Name(alg)));
    return digest;
  }

  absl::Status LoadBanks(const Json& json, Reference* out) {
    if (!json.is_object()) return Bad("banks", "is not an object");
    for (const auto& [name, registers] : json.items()) {
      const std::string place = absl::StrCat("banks.", Printable(name, 64));
      const auto alg = crypto::HashAlgFromName(name);
      if (!alg) return Bad(place, "is not a bank that we know");
      if (!registers.is_object()) return Bad(place, "is not an object");
      auto& bank = out->banks[*alg];
      for (const auto& [number, value] : registers.items()) {
        const std::string where = absl::StrCat(place, ".", Printable(number, 64));
        BG_ASSIGN_OR_RETURN(const uint32_t index, RegisterNumber(number, where));
        BG_ASSIGN_OR_RETURN(RegisterReference reference, LoadRegister(value, where, *alg));
        bank.emplace(index, std::move(reference));
      }
    }
    return absl::OkStatus();
  }

  // Plain decimal, as ToJson writes it: "07" would be a second name for PCR 7.
  static absl::StatusOr<uint32_t> RegisterNumber(const std::string& text,
                                                 const std::string& place) {
    uint32_t index = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, index);
    if (error != std::errc() || rest != end || index >= registers::kCount ||
        absl::StrCat(index) != text) {
      return Bad(place, "is not a register number, 0 to 23");
    }
    return index;
  }

  static absl::StatusOr<RegisterReference> LoadRegister(const Json& json, const std::string& place,
                                                        crypto::HashAlg alg) {
    BG_RETURN_IF_ERROR(Object(json, place, {"events", "value"}));
    RegisterReference out;
    BG_ASSIGN_OR_RETURN(out.value, DigestIn(json["value"], absl::StrCat(place, ".value"), alg));
    const Json& events = json["events"];
    if (!events.is_array()) return Bad(absl::StrCat(place, ".events"), "is not an array");
    for (size_t i = 0; i < events.size(); ++i) {
      BG_ASSIGN_OR_RETURN(ReferenceEvent event,
                          LoadEvent(events[i], absl::StrCat(place, ".events[", i, "]"), alg));
      out.events.push_back(std::move(event));
    }
    return out;
  }

  static absl::StatusOr<ReferenceEvent> LoadEvent(const Json& json, const std::string& place,
                                                  crypto::HashAlg alg) {
    BG_RETURN_IF_ERROR(Object(json, place, {"description", "digest", "key", "type"}));
    ReferenceEvent out;
    BG_ASSIGN_OR_RETURN(out.digest, DigestIn(json["digest"], absl::StrCat(place, ".digest"), alg));
    BG_ASSIGN_OR_RETURN(out.key, Text(json["key"], absl::StrCat(place, ".key")));
    BG_ASSIGN_OR_RETURN(out.description,
                        Text(json["description"], absl::StrCat(place, ".description")));
    if (!json["type"].is_number_unsigned() || json["type"].get<uint64_t>() > UINT32_MAX) {
      return Bad(absl::StrCat(place, ".type"), "is not a number of 32 bits");
    }
    out.type = json["type"].get<uint32_t>();
    return out;
  }

  absl::Status LoadIma(const Json& json, ImaReference* out) {
    if (json.is_null()) return absl::OkStatus();
    BG_RETURN_IF_ERROR(Object(json, "ima", {"buffers", "files", "unlisted"}, "rules"));
    out->present = true;
    BG_ASSIGN_OR_RETURN(const std::string unlisted, Text(json["unlisted"], "ima.unlisted"));
    bool known = false;
    for (const Unlisted rule : {Unlisted::kFail, Unlisted::kComparable, Unlisted::kWarn}) {
      if (unlisted != NameOf(rule)) continue;
      out->unlisted = rule;
      known = true;
    }
    if (!known) return Bad("ima.unlisted", "is none of \"fail\", \"comparable\", \"warn\"");
    if (json.contains("rules")) {
      BG_ASSIGN_OR_RETURN(out->rules, ImaRulesFromJson(json["rules"].dump()));
    }
    BG_RETURN_IF_ERROR(LoadFiles(json["files"], "ima.files", &out->files));
    return LoadFiles(json["buffers"], "ima.buffers", &out->buffers);
  }

  static absl::Status LoadFiles(const Json& json, const std::string& place,
                                std::map<std::string, std::set<std::string>>* out) {
    if (!json.is_array()) return Bad(place, "is not an array");
    for (size_t i = 0; i < json.size(); ++i) {
      const std::string where = absl::StrCat(place, "[", i, "]");
      BG_ASSIGN_OR_RETURN(std::string path, PathIn(json[i], where));
      BG_ASSIGN_OR_RETURN(std::set<std::string> digests,
                          Digests(json[i]["digests"], absl::StrCat(where, ".digests")));
      if (!out->emplace(std::move(path), std::move(digests)).second) {
        return Bad(where, "names a path a second time");
      }
    }
    return absl::OkStatus();
  }

  static absl::StatusOr<std::string> PathIn(const Json& json, const std::string& place) {
    if (json.is_object() && json.contains("path_hex")) {
      BG_RETURN_IF_ERROR(Object(json, place, {"digests", "path_hex"}));
      BG_ASSIGN_OR_RETURN(const std::string hex,
                          Text(json["path_hex"], absl::StrCat(place, ".path_hex")));
      const absl::StatusOr<Bytes> bytes = FromHex(hex);
      if (!bytes.ok()) return Bad(absl::StrCat(place, ".path_hex"), "is not hexadecimal");
      return std::string(AsText(*bytes));
    }
    BG_RETURN_IF_ERROR(Object(json, place, {"digests", "path"}));
    return Text(json["path"], absl::StrCat(place, ".path"));
  }

  static absl::StatusOr<std::set<std::string>> Digests(const Json& json, const std::string& place) {
    if (!json.is_array() || json.empty()) return Bad(place, "is not an array of digests");
    std::set<std::string> out;
    for (size_t i = 0; i < json.size(); ++i) {
      const std::string where = absl::StrCat(place, "[", i, "]");
      BG_ASSIGN_OR_RETURN(std::string text, Text(json[i], where));
      const size_t colon = text.rfind(':');
      if (colon == 0 || colon == std::string::npos || colon + 1 == text.size() ||
          !FromHex(text.substr(colon + 1)).ok()) {
        return Bad(where, "is not of the form sha256:hex");
      }
      out.insert(std::move(text));
    }
    return out;
  }
};

// "line 3, column 14" of a byte in a text.
std::string PlaceOf(absl::string_view text, size_t byte) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < byte && i < text.size(); ++i) {
    column = text[i] == '\n' ? 1 : column + 1;
    if (text[i] == '\n') ++line;
  }
  return absl::StrCat("line ", line, ", column ", column);
}

absl::Status RefuseText(absl::string_view what) { return Malformed(Reason::kReferenceParse, what); }

// What the library's parser lets pass: deep nesting, and a key given twice.
class StrictShape {
 public:
  bool operator()(int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth) Fail("nested too deeply");
    if (event == Json::parse_event_t::object_start) keys_.emplace_back();
    if (event == Json::parse_event_t::object_end && !keys_.empty()) keys_.pop_back();
    if (event == Json::parse_event_t::key && !keys_.empty() &&
        !keys_.back().insert(parsed.get<std::string>()).second) {
      Fail(absl::StrCat("the key \"", Printable(parsed.get<std::string>(), 64),
                        "\" is given twice"));
    }
    return true;
  }
  const std::string& failure() const { return failure_; }

 private:
  void Fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
  }
  std::vector<std::set<std::string>> keys_;
  std::string failure_;
};

// Depth counted before anything is built from the text.
bool IsTooDeep(absl::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\')
        ++i;
      else if (c == '"')
        in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

absl::StatusOr<Json> ParseStrictly(absl::string_view text) {
  StrictShape shape;
  try {
    Json json = Json::parse(text.begin(), text.end(),
                            [&shape](int depth, Json::parse_event_t event, Json& parsed) {
                              return shape(depth, event, parsed);
                            });
    if (!shape.failure().empty()) return RefuseText(shape.failure());
    return json;
  } catch (const Json::parse_error& error) {
    return RefuseText(
        absl::StrCat("not JSON at ", PlaceOf(text, error.byte == 0 ? 0 : error.byte - 1)));
  } catch (const Json::exception&) {
    return RefuseText("not JSON that we take");
  }
}

}  // namespace

std::string ToJson(const Reference& reference) {
  Json banks = Json::object();
  for (const auto& [alg, registers] : reference.banks) {
    Json bank = Json::object();
    for (const auto& [index, value] : registers) bank[absl::StrCat(index)] = RegisterJson(value);
    banks[std::string(crypto::Name(alg))] = std::move(bank);
  }
  Json ima = nullptr;
  if (reference.ima.present) {
    ima = {{"unlisted", NameOf(reference.ima.unlisted)},
           {"files", FilesJson(reference.ima.files)},
           {"buffers", FilesJson(reference.ima.buffers)}};
    const std::string rules = ToJson(reference.ima.rules);
    if (rules != "{}") ima["rules"] = Json::parse(rules);
  }
  const Json json = {{"format", kFormat},
                     {"name", reference.name},
                     {"learned_from", reference.learned_from},
                     {"learned_at", reference.learned_at},
                     {"banks", std::move(banks)},
                     {"ima", std::move(ima)}};
  return json.dump(kIndent, ' ', false, Json::error_handler_t::replace) + "\n";
}

absl::StatusOr<Reference> FromJson(absl::string_view json) {
  if (json.size() > kMaxBytes) {
    return RefuseText(absl::StrCat("larger than ", kMaxBytes, " bytes"));
  }
  if (IsTooDeep(json)) return RefuseText(absl::StrCat("nested deeper than ", kMaxDepth));
  BG_ASSIGN_OR_RETURN(const Json parsed, ParseStrictly(json));
  BG_ASSIGN_OR_RETURN(Reference reference, Loader().Load(parsed));
  reference.id = crypto::Hash(crypto::HashAlg::kSha256, AsBytes(json)).hex();
  return reference;
}

}  // namespace bootgate::gatekeeper::reference
