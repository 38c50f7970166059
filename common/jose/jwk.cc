#include "common/jose/jwk.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/json_text.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/jose/strict_json.h"
#include "pki/ek_chain.h"

namespace bootgate::jose {
namespace {

using Json = nlohmann::json;

constexpr size_t kMaxExponentBytes = 4;
constexpr size_t kMaxNote = 1024;  // bytes of kid, use, alg

// RFC 7518, 6.3.2 and 6.4: whoever shows these shows too much.
constexpr const char* kPrivateMembers[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"};

struct CurveName {
  crypto::Curve curve;
  const char* name;
};
constexpr CurveName kCurves[] = {{crypto::Curve::kP256, "P-256"},
                                 {crypto::Curve::kP384, "P-384"},
                                 {crypto::Curve::kP521, "P-521"}};

absl::Status Bad(absl::string_view why) {
  return Malformed(Reason::kJwsParse, absl::StrCat("the JWK: ", why));
}

absl::StatusOr<std::string> TextOf(const Json& jwk, const char* name) {
  const auto found = jwk.find(name);
  if (found == jwk.end() || !found->is_string()) {
    return Bad(absl::StrCat("\"", name, "\" is missing or no text"));
  }
  return found->get<std::string>();
}

absl::StatusOr<Bytes> NumberOf(const Json& jwk, const char* name) {
  BG_ASSIGN_OR_RETURN(const std::string text, TextOf(jwk, name));
  absl::StatusOr<Bytes> bytes = FromBase64Url(text);
  if (!bytes.ok()) return Bad(absl::StrCat("\"", name, "\" is not base64url"));
  return bytes;
}

absl::StatusOr<crypto::PublicKey> RsaOf(const Json& jwk) {
  BG_ASSIGN_OR_RETURN(const Bytes n, NumberOf(jwk, "n"));
  BG_ASSIGN_OR_RETURN(const Bytes e, NumberOf(jwk, "e"));
  // RFC 7518, 6.3.1: no more octets than the value needs.
  if (n.empty() || n[0] == 0 || e.empty() || e[0] == 0) {
    return Bad("\"n\" or \"e\" is empty or has leading zeros");
  }
  if (e.size() > kMaxExponentBytes) {
    return Malformed(Reason::kKeyTooLarge, "RSA exponent longer than 32 bits");
  }
  uint32_t exponent = 0;
  for (const uint8_t byte : e) exponent = exponent << 8 | byte;
  return crypto::PublicKey::FromRsa(n, exponent);
}

absl::StatusOr<crypto::PublicKey> EcOf(const Json& jwk) {
  BG_ASSIGN_OR_RETURN(const std::string name, TextOf(jwk, "crv"));
  for (const CurveName& row : kCurves) {
    if (name != row.name) continue;
    BG_ASSIGN_OR_RETURN(const Bytes x, NumberOf(jwk, "x"));
    BG_ASSIGN_OR_RETURN(const Bytes y, NumberOf(jwk, "y"));
    if (x.size() != crypto::FieldSize(row.curve) || y.size() != x.size()) {
      return Bad("\"x\" and \"y\" must be as long as the curve's field");
    }
    return crypto::PublicKey::FromEc(row.curve, x, y);
  }
  return Bad(absl::StrCat("the curve \"", Printable(name, 32), "\" is not supported"));
}

absl::StatusOr<std::vector<Bytes>> ChainOf(const Json& jwk) {
  std::vector<Bytes> out;
  const auto found = jwk.find("x5c");
  if (found == jwk.end()) return out;
  if (!found->is_array() || found->empty() || found->size() > kMaxChain) {
    return Bad(absl::StrCat("\"x5c\" must be a list of 1 to ", kMaxChain, " certificates"));
  }
  for (const Json& text : *found) {
    if (!text.is_string()) return Bad("\"x5c\" holds something that is no text");
    absl::StatusOr<Bytes> der = FromStrictBase64(text.get_ref<const std::string&>());
    if (!der.ok()) return Bad("\"x5c\" is not base64");
    out.push_back(*std::move(der));
  }
  return out;
}

absl::StatusOr<std::string> NoteOf(const Json& jwk, const char* name) {
  if (!jwk.contains(name)) return "";
  BG_ASSIGN_OR_RETURN(std::string text, TextOf(jwk, name));
  if (text.size() > kMaxNote) return Bad(absl::StrCat("\"", name, "\" is too long"));
  return text;
}

absl::StatusOr<Jwk> Read(const Json& jwk) {
  for (const char* name : kPrivateMembers) {
    if (jwk.contains(name)) return Bad(absl::StrCat("has the private member \"", name, "\""));
  }
  BG_ASSIGN_OR_RETURN(const std::string kind, TextOf(jwk, "kty"));
  if (kind != "RSA" && kind != "EC") {
    return Bad(absl::StrCat("the kind \"", Printable(kind, 32), "\" is not supported"));
  }
  BG_ASSIGN_OR_RETURN(crypto::PublicKey key, kind == "RSA" ? RsaOf(jwk) : EcOf(jwk));
  Jwk out{std::move(key), {}};
  BG_ASSIGN_OR_RETURN(out.notes.kid, NoteOf(jwk, "kid"));
  BG_ASSIGN_OR_RETURN(out.notes.use, NoteOf(jwk, "use"));
  BG_ASSIGN_OR_RETURN(out.notes.alg, NoteOf(jwk, "alg"));
  BG_ASSIGN_OR_RETURN(out.notes.x5c, ChainOf(jwk));
  if (!out.notes.x5c.empty()) {
    BG_ASSIGN_OR_RETURN(const crypto::PublicKey certified,
                        pki::KeyOfCertificate(out.notes.x5c.front()));
    if (!(certified == out.key)) return Bad("the first certificate of \"x5c\" has another key");
  }
  return out;
}

// A member of ours: the value needs no escapes.
std::string Member(absl::string_view name, absl::string_view value) {
  return absl::StrCat("\"", name, "\":\"", value, "\"");
}

std::vector<std::string> KeyMembers(const crypto::PublicKey& key) {
  if (key.kind() == crypto::PublicKey::Kind::kRsa) {
    const crypto::PublicKey::RsaParts rsa = key.Rsa().value();
    return {Member("e", ToBase64Url(rsa.exponent)), Member("kty", "RSA"),
            Member("n", ToBase64Url(rsa.modulus))};
  }
  const crypto::PublicKey::Point point = key.EcPoint().value();
  return {Member("crv", crypto::GroupName(*key.curve())), Member("kty", "EC"),
          Member("x", ToBase64Url(point.x)), Member("y", ToBase64Url(point.y))};
}

std::string Object(const std::vector<std::string>& members) {
  return absl::StrCat("{", absl::StrJoin(members, ","), "}");
}

std::string ChainText(const std::vector<Bytes>& chain) {
  const auto quoted = [](std::string* out, const Bytes& der) {
    absl::StrAppend(out, "\"", ToBase64(der), "\"");
  };
  return absl::StrCat("[", absl::StrJoin(chain, ",", quoted), "]");
}

}  // namespace

std::string JwkText(const crypto::PublicKey& key) { return Object(KeyMembers(key)); }

std::string JwkText(const Jwk& jwk) {
  std::vector<std::string> members = KeyMembers(jwk.key);
  const JwkNotes& notes = jwk.notes;
  if (!notes.alg.empty()) members.push_back(absl::StrCat("\"alg\":", JsonString(notes.alg)));
  if (!notes.kid.empty()) members.push_back(absl::StrCat("\"kid\":", JsonString(notes.kid)));
  if (!notes.use.empty()) members.push_back(absl::StrCat("\"use\":", JsonString(notes.use)));
  if (!notes.x5c.empty()) members.push_back(absl::StrCat("\"x5c\":", ChainText(notes.x5c)));
  std::ranges::sort(members);
  return Object(members);
}

std::string JwkSetText(const std::vector<Jwk>& keys) {
  const auto text = [](std::string* out, const Jwk& jwk) { out->append(JwkText(jwk)); };
  return absl::StrCat("{\"keys\":[", absl::StrJoin(keys, ",", text), "]}");
}

absl::StatusOr<Jwk> ParseJwk(absl::string_view json) {
  BG_RETURN_IF_ERROR(CheckStrictJson(json, kMaxJwkBytes, "the JWK"));
  return Read(Json::parse(json.begin(), json.end()));
}

absl::StatusOr<std::vector<Jwk>> ParseJwkSet(absl::string_view json) {
  BG_RETURN_IF_ERROR(CheckStrictJson(json, kMaxJwkSetBytes, "the key set"));
  const Json set = Json::parse(json.begin(), json.end());
  const auto keys = set.find("keys");
  if (keys == set.end() || !keys->is_array() || keys->size() > kMaxKeysInSet) {
    return Malformed(
        Reason::kJwsParse,
        absl::StrCat("the key set: \"keys\" must be a list of at most ", kMaxKeysInSet));
  }
  std::vector<Jwk> out;
  for (const Json& key : *keys) {
    if (!key.is_object()) return Bad("a member of \"keys\" is no object");
    const auto kind = key.find("kty");
    if (kind != key.end() && *kind != "RSA" && *kind != "EC") continue;
    BG_ASSIGN_OR_RETURN(Jwk read, Read(key));
    out.push_back(std::move(read));
  }
  return out;
}

crypto::Digest Thumbprint(const crypto::PublicKey& key) {
  return crypto::Hash(crypto::HashAlg::kSha256, AsBytes(JwkText(key)));
}

std::string ThumbprintText(const crypto::PublicKey& key) {
  return ToBase64Url(Thumbprint(key).view());
}

}  // namespace bootgate::jose
