#include "gatekeeper/reference/imaset/signed_file.h"

#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/cms.h"
#include "common/crypto/dsse.h"
#include "common/crypto/pem_key.h"
#include "gatekeeper/reference/imaset/json_depth.h"

namespace bootgate::gatekeeper::reference {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 4;
constexpr size_t kMaxShown = 64;  // bytes of a foreign text in a sentence

absl::Status Bad(absl::string_view what) {
  return Malformed(Reason::kReferenceParse, absl::StrCat("DSSE envelope: ", what));
}

// Standard or URL-safe, as the protocol allows both.
absl::StatusOr<Bytes> Decode(const Json& object, const char* key) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_string()) return Bad(absl::StrCat("no \"", key, "\""));
  const auto& text = value->get_ref<const std::string&>();
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) {
    return Bad(absl::StrCat("\"", key, "\" is not base64"));
  }
  return ToBytes(AsBytes(bytes));
}

absl::StatusOr<crypto::DsseEnvelope> ReadEnvelope(const Json& json) {
  crypto::DsseEnvelope envelope;
  BG_ASSIGN_OR_RETURN(envelope.payload, Decode(json, "payload"));
  const auto type = json.find("payloadType");
  if (type == json.end() || !type->is_string()) return Bad("no \"payloadType\"");
  envelope.payload_type = type->get<std::string>();
  const auto signatures = json.find("signatures");
  if (signatures == json.end() || !signatures->is_array()) return Bad("no \"signatures\"");
  if (signatures->size() > crypto::kMaxDsseSignatures) return Bad("too many signatures");
  for (const Json& row : *signatures) {
    if (!row.is_object()) return Bad("a signature that is no object");
    BG_ASSIGN_OR_RETURN(Bytes signature, Decode(row, "sig"));
    envelope.signatures.push_back(std::move(signature));
  }
  return envelope;
}

// The first member of the outermost object that stands there twice; empty: none.
std::string MemberGivenTwice(absl::string_view text) {
  std::set<std::string> seen;
  std::string twice;
  const auto note = [&](int depth, Json::parse_event_t event, Json& parsed) {
    constexpr int kOutermost = 1;
    if (event != Json::parse_event_t::key || depth != kOutermost) return true;
    const auto& name = parsed.get_ref<const std::string&>();
    if (!seen.insert(name).second && twice.empty()) twice = name;
    return true;
  };
  const Json ignored = Json::parse(text.begin(), text.end(), note, /*allow_exceptions=*/false);
  return twice;
}

// A file that begins as JSON and has a payload: nothing else that we read does.
std::optional<Json> EnvelopeIn(ByteView file) {
  const absl::string_view text = AsText(file);
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == absl::string_view::npos || text[begin] != '{') return std::nullopt;
  if (NestedDeeperThan(kMaxDepth, text)) return std::nullopt;
  Json json = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("payload") || !json.contains("payloadType")) {
    return std::nullopt;
  }
  return json;
}

absl::StatusOr<SignedFile> OpenEnvelope(const Json& json, absl::string_view payload_type,
                                        const TrustedKeys& trusted) {
  BG_ASSIGN_OR_RETURN(crypto::DsseEnvelope envelope, ReadEnvelope(json));
  if (envelope.payload_type != payload_type) {
    return Bad(absl::StrCat("it holds ", Printable(envelope.payload_type, kMaxShown),
                            "; expected is ", payload_type));
  }
  if (trusted.empty()) return SignedFile{std::move(envelope.payload), Signed::kNotChecked};
  BG_RETURN_IF_ERROR(crypto::VerifyDsse(envelope, trusted.keys()));
  return SignedFile{std::move(envelope.payload), Signed::kVerified};
}

}  // namespace

absl::string_view NameOf(Signed state) {
  switch (state) {
    case Signed::kNo:
      return "unsigned";
    case Signed::kNotChecked:
      return "signature not checked";
    case Signed::kVerified:
      return "verified";
  }
  __builtin_unreachable();
}

absl::Status TrustedKeys::AddPem(absl::string_view pem) {
  BG_ASSIGN_OR_RETURN(const std::vector<crypto::PemKey> keys, crypto::KeysFromPem(pem));
  for (const crypto::PemKey& key : keys) {
    keys_.push_back(key.key);
    if (!key.certificate.empty()) certificates_.push_back(key.certificate);
  }
  return absl::OkStatus();
}

absl::StatusOr<SignedFile> OpenSigned(Bytes file, const std::optional<Bytes>& detached,
                                      absl::string_view payload_type, const TrustedKeys& trusted) {
  if (const std::optional<Json> json = EnvelopeIn(file)) {
    if (const std::string twice = MemberGivenTwice(AsText(file)); !twice.empty()) {
      return Malformed(
          Reason::kUnsignedDuplicate,
          absl::StrCat("DSSE envelope: \"", Printable(twice, kMaxShown), "\" stands there twice"));
    }
    return OpenEnvelope(*json, payload_type, trusted);
  }
  if (trusted.empty()) {
    return SignedFile{std::move(file), detached.has_value() ? Signed::kNotChecked : Signed::kNo};
  }
  if (!detached.has_value()) {
    return NotAuthentic(Reason::kSigInvalid,
                        "it is neither a DSSE envelope nor is a CMS signature (.p7s) beside it");
  }
  BG_RETURN_IF_ERROR(crypto::VerifyDetachedCms(*detached, file, trusted.certificates()));
  return SignedFile{std::move(file), Signed::kVerified};
}

}  // namespace bootgate::gatekeeper::reference
