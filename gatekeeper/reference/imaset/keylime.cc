#include "gatekeeper/reference/imaset/keylime.h"

#include <re2/re2.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/json_depth.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 8;
constexpr size_t kMaxShown = 120;   // bytes of a foreign text in a sentence
constexpr size_t kMaxNotKept = 64;  // sentences; then one says how many more

absl::Status Bad(absl::string_view place, absl::string_view what) {
  return Malformed(Reason::kReferenceParse,
                   absl::StrCat("Keylime policy: ", Printable(place, kMaxShown), " ", what));
}

std::optional<Json> ParseJson(absl::string_view text) {
  if (NestedDeeperThan(kMaxDepth, text)) return std::nullopt;
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

// RFC 7468.
std::string PublicKeyPem(ByteView der) {
  constexpr size_t kLine = 64;
  const std::string base64 = ToBase64(der);
  std::string out = "-----BEGIN PUBLIC KEY-----\n";
  for (size_t at = 0; at < base64.size(); at += kLine) {
    absl::StrAppend(&out, absl::string_view(base64).substr(at, kLine), "\n");
  }
  return out + "-----END PUBLIC KEY-----\n";
}

std::optional<DigestAlg> AlgOfLength(size_t size, const KeylimeOptions& options) {
  switch (size) {
    case 16:
      return DigestAlgFromName("md5");
    case 20:
      return DigestAlg::kSha1;
    case 28:
      return DigestAlgFromName("sha224");
    case 32:
      return options.bare_32;
    case 48:
      return DigestAlg::kSha384;
    case 64:
      return DigestAlg::kSha512;
    default:
      return std::nullopt;
  }
}

class Importer {
 public:
  explicit Importer(const KeylimeOptions& options) : options_(options) {}

  absl::StatusOr<KeylimeImport> Run(const Json& json) {
    if (!json.is_object()) return Bad("the file", "is not a JSON object");
    if (!json.contains("digests") && !json.contains("hashes")) {
      return Bad("the file", "has no \"digests\": it is no runtime policy");
    }
    for (const auto& [key, value] : json.items()) BG_RETURN_IF_ERROR(Member(key, value));
    Close();
    return std::move(out_);
  }

 private:
  absl::Status Member(const std::string& key, const Json& value) {
    if (key == "digests" || key == "hashes") return Digests(key, value, DigestKind::kFile);
    if (key == "ima-buf") return Digests(key, value, DigestKind::kBuffer);
    if (key == "keyrings") return Digests(key, value, DigestKind::kKeyring);
    if (key == "excludes" || key == "exclude") return Excludes(key, value);
    if (key == "ima") return Ima(value);
    if (key == "verification-keys") return VerificationKeys(value);
    if (key == "meta") return Meta(value);
    if (key == "release") return absl::OkStatus();  // says nothing about a host
    NotKept(absl::StrCat("\"", Printable(key, kMaxShown), "\": unknown"));
    return absl::OkStatus();
  }

  void NotKept(std::string sentence) {
    if (++dropped_ <= kMaxNotKept) out_.not_kept.push_back(std::move(sentence));
  }

  void Close() {
    if (dropped_ > kMaxNotKept) {
      out_.not_kept.push_back(absl::StrCat("and ", dropped_ - kMaxNotKept, " more"));
    }
    out_.draft.origin = "keylime runtime policy";
  }

  absl::Status Meta(const Json& value) {
    if (!value.is_object()) return Bad("meta", "is not an object");
    const auto version = value.find("version");
    if (version != value.end() && version->is_number_integer() && *version != 1) {
      return Bad("meta.version", absl::StrCat("is ", version->dump(), "; version 1 can be read"));
    }
    const auto timestamp = value.find("timestamp");
    if (timestamp != value.end() && timestamp->is_string()) {
      out_.draft.created = timestamp->get<std::string>();
    }
    return absl::OkStatus();
  }

  absl::Status Digests(const std::string& key, const Json& value, DigestKind kind) {
    if (value.is_null()) return absl::OkStatus();
    if (!value.is_object()) return Bad(key, "is not an object");
    for (const auto& [path, digests] : value.items()) {
      const std::string place = absl::StrCat(key, ".", path);
      if (!digests.is_array()) return Bad(place, "is not an array");
      if (kind == DigestKind::kFile && path == "boot_aggregate") {
        NotKept(absl::StrCat("boot_aggregate (", digests.size(),
                             " digests): computed from the quoted PCRs, never listed"));
        continue;
      }
      for (const Json& digest : digests) BG_RETURN_IF_ERROR(Digest(place, path, digest, kind));
    }
    return absl::OkStatus();
  }

  absl::Status Digest(const std::string& place, const std::string& path, const Json& value,
                      DigestKind kind) {
    if (!value.is_string()) return Bad(place, "has a digest that is no text");
    const std::string text = value.get<std::string>();
    const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(':', 1));
    const bool named = absl::StrContains(text, ':');
    const absl::StatusOr<Bytes> digest = FromHex(named ? parts.second : text);
    if (!digest.ok()) {
      return Bad(place, absl::StrCat("has the digest '", Printable(text, kMaxShown),
                                     "', which is not hexadecimal"));
    }
    const std::optional<DigestAlg> alg =
        named ? DigestAlgFromName(parts.first) : AlgOfLength(digest->size(), options_);
    if (!alg.has_value()) {
      NotKept(absl::StrCat(Printable(place, kMaxShown), ": '", Printable(text, kMaxShown),
                           "' is of no algorithm that IMA knows"));
      return absl::OkStatus();
    }
    if (digest->size() != SizeOf(*alg)) {
      return Bad(place, absl::StrCat("has a digest of ", digest->size(), " bytes; ", NameOf(*alg),
                                     " has ", SizeOf(*alg)));
    }
    if (path.empty() || path.size() > kMaxSetPath || absl::StrContains(path, '\0')) {
      return Bad(place, "is no path");
    }
    SetItem item;
    item.path = path;
    item.kind = kind;
    item.alg = *alg;
    item.digest = *digest;
    out_.draft.items.push_back(std::move(item));
    return absl::OkStatus();
  }

  // Keylime matches at the beginning of a path, with Python's expressions.
  absl::Status Excludes(const std::string& key, const Json& value) {
    if (value.is_null()) return absl::OkStatus();
    if (!value.is_array()) return Bad(key, "is not an array");
    for (const Json& row : value) {
      if (!row.is_string()) return Bad(key, "holds something that is no text");
      const std::string text = row.get<std::string>();
      if (text.empty()) continue;
      const std::string pattern = absl::StrCat("^(?:", text, ")");
      const RE2 compiled(pattern, RE2::Quiet);
      if (compiled.ok() && pattern.size() <= kMaxPattern) {
        out_.draft.rules.excludes.push_back(pattern);
      } else {
        NotKept(absl::StrCat("exclude '", Printable(text, kMaxShown),
                             "': no RE2 pattern: ", Printable(compiled.error(), kMaxShown)));
      }
    }
    return absl::OkStatus();
  }

  absl::Status Ima(const Json& value) {
    if (value.is_null()) return absl::OkStatus();
    if (!value.is_object()) return Bad("ima", "is not an object");
    for (const auto& [key, part] : value.items()) {
      if (key == "ignored_keyrings") {
        BG_RETURN_IF_ERROR(IgnoredKeyrings(part));
      } else if (key == "log_hash_alg") {
        continue;  // template digests are recomputed, in every bank
      } else if (key != "dm_policy" || !part.is_null()) {
        NotKept(absl::StrCat("\"ima.", Printable(key, kMaxShown),
                             "\": write it as rules of the policy"));
      }
    }
    return absl::OkStatus();
  }

  absl::Status IgnoredKeyrings(const Json& value) {
    if (value.is_null()) return absl::OkStatus();
    if (!value.is_array()) return Bad("ima.ignored_keyrings", "is not an array");
    for (const Json& row : value) {
      if (!row.is_string()) return Bad("ima.ignored_keyrings", "holds something that is no text");
      out_.draft.rules.ignored_keyrings.push_back(row.get<std::string>());
    }
    return absl::OkStatus();
  }

  // A text: empty, PEM, or once more JSON: {"keyids": [...], "pubkeys": [base64 of DER]}.
  absl::Status VerificationKeys(const Json& value) {
    if (value.is_null()) return absl::OkStatus();
    if (value.is_object()) return PublicKeys(value);
    if (!value.is_string()) return Bad("verification-keys", "is not a text");
    const std::string text = value.get<std::string>();
    if (text.empty()) return absl::OkStatus();
    if (absl::StartsWith(text, "-----BEGIN ")) {
      out_.draft.rules.verification_keys.push_back(text);
      return absl::OkStatus();
    }
    const std::optional<Json> inner = ParseJson(text);
    if (!inner.has_value() || !inner->is_object()) {
      return Bad("verification-keys", "is neither PEM nor a keyring in JSON");
    }
    return PublicKeys(*inner);
  }

  absl::Status PublicKeys(const Json& keyring) {
    const auto keys = keyring.find("pubkeys");
    if (keys == keyring.end() || !keys->is_array()) {
      return Bad("verification-keys", "has no \"pubkeys\"");
    }
    for (const Json& row : *keys) {
      if (!row.is_string()) return Bad("verification-keys", "holds something that is no text");
      const absl::StatusOr<Bytes> der = FromBase64(row.get<std::string>());
      if (!der.ok()) return Bad("verification-keys", "holds a key that is not base64");
      out_.draft.rules.verification_keys.push_back(PublicKeyPem(*der));
    }
    return absl::OkStatus();
  }

  static constexpr size_t kMaxPattern = 4096;  // bytes

  const KeylimeOptions options_;
  KeylimeImport out_;
  size_t dropped_ = 0;
};

}  // namespace

absl::StatusOr<KeylimeImport> ImportKeylime(absl::string_view json, const KeylimeOptions& options) {
  if (json.size() > kMaxKeylimeBytes) {
    return Bad("the file", absl::StrCat("is larger than ", kMaxKeylimeBytes, " bytes"));
  }
  const std::optional<Json> parsed = ParseJson(json);
  if (!parsed.has_value()) {
    return Bad("the file", absl::StrCat("is not JSON, or nested deeper than ", kMaxDepth));
  }
  return Importer(options).Run(*parsed);
}

}  // namespace bootgate::gatekeeper::reference
