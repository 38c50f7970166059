#include "gatekeeper/sealing/secret.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/writer.h"
#include "common/crypto/kdf.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr size_t kValueBits = 256;  // of a secret of each host's own
constexpr char kHexDigits[] = "0123456789abcdef";

void AddField(bytes::Writer& out, absl::string_view text) {
  out.U32Be(static_cast<uint32_t>(text.size())).Raw(AsBytes(text));
}

Bytes Associated(const SecretFacts& facts, const std::string& key_id) {
  bytes::Writer out;
  AddField(out, "bootgate/v1/secret");
  for (const std::string* text : {&facts.name, &facts.selector, &key_id}) AddField(out, *text);
  out.U32Be((facts.per_host ? 1u : 0u) | (facts.across_boots ? 2u : 0u));
  return out.Finish();
}

absl::Status Corrupt(absl::string_view why) {
  return Refuse(absl::StatusCode::kDataLoss, Reason::kRecordCorrupt,
                absl::StrCat("a stored secret: ", why));
}

// Without a copy that a std::string would leave behind.
SecretBytes InHex(const SecretBytes& value) {
  SecretBytes out(2 * value.size());
  auto to = out.mutable_view().begin();
  for (const uint8_t byte : value.view()) {
    *to++ = static_cast<uint8_t>(kHexDigits[byte >> 4]);
    *to++ = static_cast<uint8_t>(kHexDigits[byte & 15]);
  }
  return out;
}

}  // namespace

absl::Status CheckSecretName(const std::string& name) {
  const bool plain = std::ranges::all_of(name, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
  });
  if (plain && !name.empty() && name.front() != '.' && name.size() <= kMaxSecretName) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("'", Printable(name, 2 * kMaxSecretName),
                   "' is no name of a secret: at most 64 letters, digits, '.', '_' and '-', no '.' "
                   "in front"));
}

std::string SlotOf(const SecretFacts& facts) {
  return absl::StrCat(facts.name, "@", facts.selector);
}

absl::StatusOr<Secret> CloseSecret(const SecretFacts& facts, const SecretKey& key,
                                   const SecretBytes& value) {
  BG_RETURN_IF_ERROR(CheckSecretName(facts.name));
  if (value.empty() || value.size() > kMaxSecretBytes) {
    return absl::InvalidArgumentError(absl::StrCat("a secret of ", value.size(), " bytes; 1 to ",
                                                   kMaxSecretBytes, " are possible"));
  }
  Secret secret{.facts = facts, .key_id = key.id, .sealed = {}};
  BG_ASSIGN_OR_RETURN(secret.sealed,
                      crypto::AeadSeal(key.key.view(), value.view(), Associated(facts, key.id)));
  return secret;
}

absl::StatusOr<SecretBytes> OpenSecret(const Secret& secret, const std::vector<SecretKey>& keys) {
  const auto key = std::ranges::find(keys, secret.key_id, &SecretKey::id);
  if (key == keys.end()) {
    return Refuse(absl::StatusCode::kUnavailable, Reason::kStateCorrupt,
                  absl::StrCat("secret ", secret.facts.name, " is encrypted under key ",
                               secret.key_id, ", which this gatekeeper does not have"));
  }
  absl::StatusOr<SecretBytes> value =
      crypto::AeadOpen(key->key.view(), secret.sealed, Associated(secret.facts, key->id));
  if (value.ok()) return value;
  return Corrupt(absl::StrCat(secret.facts.name, " was altered"));
}

SecretBytes ValueFor(const SecretFacts& facts, const SecretBytes& opened,
                     const std::string& host_id) {
  if (!facts.per_host) return opened.Clone();
  return InHex(crypto::KdfA(crypto::HashAlg::kSha256, opened.view(), "bootgate per-host secret",
                            AsBytes(host_id), AsBytes(facts.name), kValueBits));
}

std::string ToText(const Secret& secret) {
  return Json{{"version", kVersion},
              {"name", secret.facts.name},
              {"selector", secret.facts.selector},
              {"per_host", secret.facts.per_host},
              {"across_boots", secret.facts.across_boots},
              {"key", secret.key_id},
              {"sealed", ToBase64(secret.sealed)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Secret> SecretFromText(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  const auto has = [&](const char* name, auto is) {
    const auto found = json.find(name);
    return found != json.end() && is(*found);
  };
  const auto is_text = [](const Json& value) { return value.is_string(); };
  const auto is_flag = [](const Json& value) { return value.is_boolean(); };
  const bool whole = json.is_object() && json.value("version", Json()) == Json(kVersion) &&
                     has("name", is_text) && has("selector", is_text) && has("key", is_text) &&
                     has("sealed", is_text) && has("per_host", is_flag) &&
                     has("across_boots", is_flag);
  if (!whole) return Corrupt("not the fields that we write");
  Secret secret{.facts = {.name = json["name"],
                          .selector = json["selector"],
                          .per_host = json["per_host"],
                          .across_boots = json["across_boots"]},
                .key_id = json["key"],
                .sealed = {}};
  const std::string sealed = json["sealed"];
  absl::StatusOr<Bytes> bytes = FromStrictBase64(sealed);
  if (!bytes.ok() || !CheckSecretName(secret.facts.name).ok()) return Corrupt("no such secret");
  secret.sealed = *std::move(bytes);
  return secret;
}

}  // namespace bootgate::gatekeeper::sealing
