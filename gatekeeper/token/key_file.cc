#include "gatekeeper/token/key_file.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <tuple>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/jose/jwk.h"
#include "common/jose/strict_json.h"
#include "pki/signer_chain.h"

namespace bootgate::gatekeeper::token {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMaxFileBytes = size_t{64} << 10;
constexpr size_t kMaxKeys = 1000;
constexpr mode_t kSecretMode = 0600;
constexpr absl::string_view kInfoEnding = ".json", kSecretEnding = ".key";

std::string PathOf(const std::string& folder, absl::string_view kid, absl::string_view ending) {
  return absl::StrCat(folder, "/", kid, ending);
}

absl::Status Corrupt(const std::string& path, absl::string_view why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStateCorrupt,
                absl::StrCat(path, ": ", why));
}

Json InfoJson(const KeyInfo& info) {
  Json out{{"kid", info.kid},
           {"alg", std::string(jose::Name(info.alg))},
           {"created_at", absl::ToUnixSeconds(info.created_at)}};
  if (info.retired_at.has_value()) out["retired_at"] = absl::ToUnixSeconds(*info.retired_at);
  if (info.covers_until != absl::InfinitePast()) {
    out["covers_until"] = absl::ToUnixSeconds(info.covers_until);
  }
  for (const Bytes& der : info.chain) out["x5c"].push_back(ToBase64(der));
  return out;
}

std::optional<absl::Time> TimeOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  return absl::FromUnixSeconds(found->get<int64_t>());
}

std::string TextOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() || !found->is_string() ? "" : found->get<std::string>();
}

absl::Status TakeChain(const Json& json, const std::string& path, KeyInfo* info) {
  const auto chain = json.find("x5c");
  if (chain == json.end() || !chain->is_array() || chain->empty()) {
    return Corrupt(path, "no certificates");
  }
  for (const Json& text : *chain) {
    const absl::StatusOr<Bytes> der =
        FromStrictBase64(text.is_string() ? text.get<std::string>() : "");
    if (!der.ok() || der->empty()) return Corrupt(path, "\"x5c\" is not base64");
    info->chain.push_back(*der);
  }
  return absl::OkStatus();
}

absl::StatusOr<KeyInfo> InfoOf(const std::string& path, const std::string& kid) {
  BG_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxFileBytes));
  if (!jose::CheckStrictJson(text, kMaxFileBytes, "the key").ok()) return Corrupt(path, "no JSON");
  const Json json = Json::parse(text);
  KeyInfo info;
  info.kid = TextOf(json, "kid");
  const std::optional<jose::JwsAlg> alg = jose::JwsAlgFromName(TextOf(json, "alg"));
  const std::optional<absl::Time> created = TimeOf(json, "created_at");
  if (info.kid != kid || !alg.has_value() || !created.has_value()) {
    return Corrupt(path, "another name, or members missing");
  }
  info.alg = *alg;
  info.created_at = *created;
  info.retired_at = TimeOf(json, "retired_at");
  info.covers_until = TimeOf(json, "covers_until").value_or(absl::InfinitePast());
  BG_RETURN_IF_ERROR(TakeChain(json, path, &info));
  return info;
}

absl::StatusOr<std::shared_ptr<const crypto::PrivateKey>> SecretOf(const std::string& path,
                                                                   const crypto::PublicKey& key) {
  BG_ASSIGN_OR_RETURN(Bytes pem, ReadFile(path, kMaxFileBytes));
  const SecretBytes held(pem);
  std::ranges::fill(pem, uint8_t{0});
  absl::StatusOr<crypto::PrivateKey> secret = crypto::PrivateKey::FromPem(AsText(held.view()));
  if (!secret.ok() || !(secret->Public() == key)) {
    return Corrupt(path, "not the private half of the key of this name");
  }
  return std::make_shared<const crypto::PrivateKey>(*std::move(secret));
}

absl::StatusOr<StoredKey> ReadKey(const std::string& folder, const std::string& kid) {
  const std::string path = PathOf(folder, kid, kInfoEnding);
  BG_ASSIGN_OR_RETURN(KeyInfo info, InfoOf(path, kid));
  const absl::StatusOr<pki::SignerCertificate> certificate =
      pki::ReadSignerCertificate(info.chain.front());
  if (!certificate.ok()) return Corrupt(path, certificate.status().message());
  if (jose::ThumbprintText(certificate->key) != kid || !jose::Fits(info.alg, certificate->key)) {
    return Corrupt(path, "the certificate is of another key");
  }
  info.not_after = certificate->not_after;
  StoredKey out{std::move(info), certificate->key, nullptr};
  if (out.info.signs()) {
    BG_ASSIGN_OR_RETURN(out.secret, SecretOf(PathOf(folder, kid, kSecretEnding), out.key));
  }
  return out;
}

}  // namespace

absl::Status WriteKey(const std::string& folder, const StoredKey& key) {
  if (key.secret != nullptr) {
    BG_RETURN_IF_ERROR(WriteFileAtomically(PathOf(folder, key.info.kid, kSecretEnding),
                                           key.secret->Pem().view(), kSecretMode));
  }
  return WriteInfo(folder, key.info);
}

absl::Status WriteInfo(const std::string& folder, const KeyInfo& info) {
  return WriteFileAtomically(PathOf(folder, info.kid, kInfoEnding),
                             AsBytes(InfoJson(info).dump(2) + "\n"), kSecretMode);
}

absl::Status RemoveSecret(const std::string& folder, const std::string& kid) {
  return RemoveFile(PathOf(folder, kid, kSecretEnding));
}

absl::Status RemoveKey(const std::string& folder, const std::string& kid) {
  BG_RETURN_IF_ERROR(RemoveFile(PathOf(folder, kid, kInfoEnding)));
  return RemoveSecret(folder, kid);
}

absl::StatusOr<std::vector<StoredKey>> ReadKeys(const std::string& folder) {
  std::vector<StoredKey> keys;
  std::error_code error;
  for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end;
       file.increment(error)) {
    const std::string name = file->path().filename().string();
    if (!absl::EndsWith(name, kInfoEnding)) continue;
    if (keys.size() == kMaxKeys) return Corrupt(folder, "too many keys");
    BG_ASSIGN_OR_RETURN(StoredKey key,
                        ReadKey(folder, name.substr(0, name.size() - kInfoEnding.size())));
    keys.push_back(std::move(key));
  }
  if (error) {
    return absl::UnavailableError(absl::StrCat("read ", folder, ": ", error.message()));
  }
  const auto rank = [](const StoredKey& key) {
    return std::tuple(key.info.signs(), key.info.created_at, key.info.kid);
  };
  std::ranges::sort(keys, [&](const auto& a, const auto& b) { return rank(a) > rank(b); });
  return keys;
}

}  // namespace bootgate::gatekeeper::token
