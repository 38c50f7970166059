#include "gatekeeper/reference/ima_rules.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/nearest.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Json = nlohmann::json;

constexpr size_t kIdBytes = 32;  // of a set or a certificate: SHA-256

const std::vector<std::string>& Keys() {
  static const auto* const keys = new std::vector<std::string>{
      "sets",       "excludes",       "unverified", "by_digest", "digests",          "violations",
      "outdated",   "algorithms",     "kexec",      "keys",      "trusted_keyrings", "keyrings",
      "signatures", "legacy_template"};
  return *keys;
}

absl::Status Bad(absl::string_view key, absl::string_view what) {
  return Malformed(Reason::kReferenceParse,
                   absl::StrCat("ima.rules", key.empty() ? "" : ".", key, " ", what));
}

absl::StatusOr<std::vector<std::string>> Texts(const Json& json, absl::string_view key,
                                               size_t at_most) {
  if (!json.is_array()) return Bad(key, "is not an array");
  if (json.size() > at_most) return Bad(key, absl::StrCat("has more than ", at_most, " lines"));
  std::vector<std::string> out;
  for (const Json& text : json) {
    if (!text.is_string() || text.get_ref<const std::string&>().empty())
      return Bad(key, "has something that is not a text");
    out.push_back(text.get<std::string>());
  }
  return out;
}

bool IsId(absl::string_view text) {
  const absl::StatusOr<Bytes> bytes = FromHex(text);
  return bytes.ok() && bytes->size() == kIdBytes && ToHex(*bytes) == text;
}

absl::StatusOr<std::vector<std::string>> Ids(const Json& json, absl::string_view key,
                                             size_t at_most) {
  BG_ASSIGN_OR_RETURN(std::vector<std::string> ids, Texts(json, key, at_most));
  for (const std::string& id : ids) {
    if (!IsId(id))
      return Bad(key, absl::StrCat("has \"", Printable(id, 80),
                                   "\", which is no SHA-256 in lower-case hexadecimal"));
  }
  return ids;
}

absl::StatusOr<PathPatterns> Patterns(const Json& json, absl::string_view key) {
  BG_ASSIGN_OR_RETURN(std::vector<std::string> texts, Texts(json, key, kMaxPatterns));
  absl::StatusOr<PathPatterns> patterns = PathPatterns::Make(std::move(texts));
  if (!patterns.ok()) return Bad(key, patterns.status().message());
  return patterns;
}

absl::StatusOr<bool> Boolean(const Json& json, absl::string_view key) {
  if (!json.is_boolean()) return Bad(key, "is neither true nor false");
  return json.get<bool>();
}

// One of the names, by its place.
absl::StatusOr<size_t> OneOf(const Json& json, absl::string_view key,
                             std::initializer_list<absl::string_view> names) {
  const std::string text = json.is_string() ? json.get<std::string>() : "";
  size_t place = 0;
  for (const absl::string_view name : names) {
    if (text == name) return place;
    ++place;
  }
  std::string all;
  for (const absl::string_view name : names)
    absl::StrAppend(&all, all.empty() ? "" : ", ", "\"", name, "\"");
  return Bad(key, absl::StrCat("is none of ", all));
}

absl::Status ReadAlgorithms(const Json& json, ImaRules* out) {
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> names, Texts(json, "algorithms", kDigestAlgs));
  out->algorithms.clear();
  for (const std::string& name : names) {
    const std::optional<DigestAlg> alg = DigestAlgFromName(name);
    if (!alg.has_value())
      return Bad("algorithms",
                 absl::StrCat("has \"", Printable(name, 64), "\", which we do not know"));
    out->algorithms.insert(*alg);
  }
  if (out->algorithms.empty()) return Bad("algorithms", "allows none");
  return absl::OkStatus();
}

absl::Status ReadDigests(const Json& json, ImaRules* out) {
  BG_ASSIGN_OR_RETURN(const std::vector<std::string> digests,
                      Texts(json, "digests", kMaxRuleDigests));
  for (const std::string& text : digests) {
    absl::string_view rest = text;
    const absl::string_view verity = "verity:";
    if (rest.substr(0, verity.size()) == verity) rest.remove_prefix(verity.size());
    const size_t colon = rest.find(':');
    const auto alg =
        colon == absl::string_view::npos ? std::nullopt : DigestAlgFromName(rest.substr(0, colon));
    const absl::StatusOr<Bytes> bytes =
        FromHex(colon == absl::string_view::npos ? absl::string_view() : rest.substr(colon + 1));
    if (!alg.has_value() || !bytes.ok() || bytes->size() != SizeOf(*alg))
      return Bad("digests", absl::StrCat("has \"", Printable(text, 100),
                                         "\", which is not of the form sha256:hex"));
    out->digests.insert(text);
  }
  return absl::OkStatus();
}

absl::Status ReadKeys(const Json& json, ImaRules* out) {
  BG_ASSIGN_OR_RETURN(out->key_texts, Texts(json, "keys", kMaxSigningKeys));
  for (const std::string& pem : out->key_texts) {
    absl::StatusOr<std::vector<crypto::PemKey>> keys = crypto::KeysFromPem(pem);
    if (!keys.ok()) return Bad("keys", absl::StrCat(": ", keys.status().message()));
    for (crypto::PemKey& key : *keys) out->keys.push_back(std::move(key));
  }
  if (out->keys.size() > kMaxSigningKeys)
    return Bad("keys", absl::StrCat("has more than ", kMaxSigningKeys, " keys"));
  return absl::OkStatus();
}

absl::Status ReadKeyrings(const Json& json, ImaRules* out) {
  if (!json.is_object()) return Bad("keyrings", "is not an object");
  for (const auto& [name, ids] : json.items()) {
    const std::string place = absl::StrCat("keyrings.", Printable(name, 64));
    BG_ASSIGN_OR_RETURN(const std::vector<std::string> listed, Ids(ids, place, kMaxRuleDigests));
    out->keyrings[name] = {listed.begin(), listed.end()};
  }
  return absl::OkStatus();
}

absl::Status ReadPaths(const std::string& key, const Json& json, ImaRules* out) {
  PathPatterns& to = key == "excludes"     ? out->excludes
                     : key == "unverified" ? out->unverified
                     : key == "by_digest"  ? out->by_digest
                                           : out->violations;
  BG_ASSIGN_OR_RETURN(to, Patterns(json, key));
  return absl::OkStatus();
}

absl::Status ReadRule(const std::string& key, const Json& json, ImaRules* out) {
  if (key == "sets") {
    BG_ASSIGN_OR_RETURN(out->sets, Ids(json, key, kMaxSetsNamed));
  } else if (key == "digests") {
    return ReadDigests(json, out);
  } else if (key == "algorithms") {
    return ReadAlgorithms(json, out);
  } else if (key == "outdated") {
    BG_ASSIGN_OR_RETURN(const size_t place, OneOf(json, key, {"fail", "warn"}));
    out->outdated = place == 0 ? OutdatedRule::kFail : OutdatedRule::kWarn;
  } else if (key == "kexec") {
    BG_ASSIGN_OR_RETURN(out->kexec, Boolean(json, key));
  } else if (key == "legacy_template") {
    BG_ASSIGN_OR_RETURN(out->legacy_template, Boolean(json, key));
  } else if (key == "signatures") {
    BG_ASSIGN_OR_RETURN(const size_t place, OneOf(json, key, {"ignore", "accept", "require"}));
    out->signatures = static_cast<SignatureRule>(place);
  } else if (key == "keys") {
    return ReadKeys(json, out);
  } else if (key == "trusted_keyrings") {
    BG_ASSIGN_OR_RETURN(const std::vector<std::string> names, Texts(json, key, kMaxSigningKeys));
    out->trusted_keyrings = {names.begin(), names.end()};
  } else if (key == "keyrings") {
    return ReadKeyrings(json, out);
  } else {
    return ReadPaths(key, json, out);
  }
  return absl::OkStatus();
}

absl::Status CheckKey(const std::string& key) {
  const std::vector<std::string>& keys = Keys();
  if (std::find(keys.begin(), keys.end(), key) != keys.end()) return absl::OkStatus();
  const std::string meant = NearestName(key, keys);
  return Bad("",
             absl::StrCat("has the unknown key \"", Printable(key, 64), "\"",
                          meant.empty() ? "" : absl::StrCat("; did you mean \"", meant, "\"?")));
}

void PutTexts(Json& json, const char* key, const std::vector<std::string>& texts) {
  if (!texts.empty()) json[key] = texts;
}

}  // namespace

std::set<DigestAlg> StrongAlgorithms() {
  std::set<DigestAlg> out;
  for (const absl::string_view name :
       {"sha256", "sha384", "sha512", "sm3-256", "sha3-256", "sha3-384", "sha3-512"}) {
    if (const auto alg = DigestAlgFromName(name)) out.insert(*alg);
  }
  return out;
}

std::string ToJson(const ImaRules& rules) {
  Json json = Json::object();
  PutTexts(json, "sets", rules.sets);
  PutTexts(json, "excludes", rules.excludes.texts());
  PutTexts(json, "unverified", rules.unverified.texts());
  PutTexts(json, "by_digest", rules.by_digest.texts());
  PutTexts(json, "violations", rules.violations.texts());
  PutTexts(json, "keys", rules.key_texts);
  if (!rules.digests.empty()) json["digests"] = rules.digests;
  if (rules.algorithms != StrongAlgorithms()) {
    json["algorithms"] = Json::array();
    for (const DigestAlg alg : rules.algorithms)
      json["algorithms"].push_back(std::string(NameOf(alg)));
  }
  if (rules.outdated == OutdatedRule::kWarn) json["outdated"] = "warn";
  if (rules.kexec) json["kexec"] = true;
  if (rules.legacy_template) json["legacy_template"] = true;
  if (rules.signatures == SignatureRule::kAccept) json["signatures"] = "accept";
  if (rules.signatures == SignatureRule::kRequire) json["signatures"] = "require";
  if (!rules.trusted_keyrings.empty()) json["trusted_keyrings"] = rules.trusted_keyrings;
  for (const auto& [name, ids] : rules.keyrings) json["keyrings"][name] = ids;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<ImaRules> ImaRulesFromJson(absl::string_view text) {
  const Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Bad("", "is not an object");
  ImaRules rules;
  for (const auto& [key, value] : json.items()) {
    BG_RETURN_IF_ERROR(CheckKey(key));
    BG_RETURN_IF_ERROR(ReadRule(key, value, &rules));
  }
  const bool signs = !rules.keys.empty() || !rules.trusted_keyrings.empty() || !rules.sets.empty();
  if (rules.signatures != SignatureRule::kIgnore && !signs)
    return Bad("signatures",
               "asks for signatures, and neither keys nor trusted_keyrings nor sets are given");
  return rules;
}

}  // namespace bootgate::gatekeeper::reference
