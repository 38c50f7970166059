#include "common/jose/jws.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/der.h"
#include "common/jose/jwk.h"
#include "common/jose/strict_json.h"

namespace bootgate::jose {
namespace {

using Json = nlohmann::ordered_json;
using crypto::Curve;
using crypto::HashAlg;
using crypto::PublicKey;
using crypto::SignatureScheme;

constexpr size_t kParts = 3;
constexpr size_t kMaxMember = 4096;  // bytes of a text in the header
constexpr absl::string_view kNone = "none";

struct AlgRow {
  JwsAlg alg;
  absl::string_view name;
  HashAlg hash;
  SignatureScheme scheme;
  std::optional<Curve> curve;  // ECDSA only; RFC 7518, 3.4 ties the curve to the algorithm
};

constexpr AlgRow kAlgs[] = {
    {JwsAlg::kRs256, "RS256", HashAlg::kSha256, SignatureScheme::kRsassa, std::nullopt},
    {JwsAlg::kPs256, "PS256", HashAlg::kSha256, SignatureScheme::kRsapss, std::nullopt},
    {JwsAlg::kEs256, "ES256", HashAlg::kSha256, SignatureScheme::kEcdsa, Curve::kP256},
    {JwsAlg::kEs384, "ES384", HashAlg::kSha384, SignatureScheme::kEcdsa, Curve::kP384},
};

const AlgRow& RowOf(JwsAlg alg) { return kAlgs[static_cast<size_t>(alg)]; }

absl::Status Bad(absl::string_view why) { return Malformed(Reason::kJwsParse, why); }

// Members that change what the signature means: whoever ignores them believes something else than
// the signer said (RFC 7515, 4.1.11; RFC 7797).
constexpr const char* kRefusedMembers[] = {"crit", "b64"};

absl::Status TakeText(const Json& header, const char* name, std::string* out) {
  const auto found = header.find(name);
  if (found == header.end()) return absl::OkStatus();
  if (!found->is_string() || found->get_ref<const std::string&>().size() > kMaxMember) {
    return Bad(absl::StrCat("the header: \"", name, "\" is no text or too long"));
  }
  *out = found->get<std::string>();
  return absl::OkStatus();
}

absl::Status TakeChain(const Json& header, std::vector<Bytes>* out) {
  const auto found = header.find("x5c");
  if (found == header.end()) return absl::OkStatus();
  if (!found->is_array() || found->empty() || found->size() > kMaxChain) {
    return Bad(
        absl::StrCat("the header: \"x5c\" must be a list of 1 to ", kMaxChain, " certificates"));
  }
  for (const Json& text : *found) {
    if (!text.is_string()) return Bad("the header: \"x5c\" holds something that is no text");
    absl::StatusOr<Bytes> der = FromStrictBase64(text.get_ref<const std::string&>());
    if (!der.ok()) return Bad("the header: \"x5c\" is not base64");
    out->push_back(*std::move(der));
  }
  return absl::OkStatus();
}

absl::StatusOr<JwsHeader> ReadHeader(absl::string_view text) {
  BG_RETURN_IF_ERROR(CheckStrictJson(text, kMaxJwsHeaderBytes, "the header"));
  const Json header = Json::parse(text.begin(), text.end());
  for (const char* name : kRefusedMembers) {
    if (header.contains(name)) {
      return Bad(absl::StrCat("the header: the extension \"", name, "\" is not supported"));
    }
  }
  JwsHeader out;
  const struct {
    const char* name;
    std::string* text;
  } members[] = {{"alg", &out.alg}, {"typ", &out.typ}, {"kid", &out.kid},
                 {"jku", &out.jku}, {"x5t", &out.x5t}, {"x5t#S256", &out.x5t_s256}};
  for (const auto& member : members) {
    BG_RETURN_IF_ERROR(TakeText(header, member.name, member.text));
  }
  BG_RETURN_IF_ERROR(TakeChain(header, &out.x5c));
  if (out.alg.empty()) return Bad("the header: \"alg\" is missing");
  return out;
}

std::string HeaderText(JwsAlg alg, const JwsHeader& header) {
  Json out;
  out["alg"] = std::string(Name(alg));
  const struct {
    const char* name;
    const std::string& text;
  } members[] = {{"typ", header.typ},
                 {"kid", header.kid},
                 {"jku", header.jku},
                 {"x5t", header.x5t},
                 {"x5t#S256", header.x5t_s256}};
  for (const auto& member : members) {
    if (!member.text.empty()) out[member.name] = member.text;
  }
  for (const Bytes& der : header.x5c) out["x5c"].push_back(ToBase64(der));
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// r and s, each as long as the field (RFC 7518, 3.4).
absl::StatusOr<Bytes> Concatenated(ByteView der, size_t field) {
  crypto::DerReader outer(der);
  BG_ASSIGN_OR_RETURN(const ByteView numbers, outer.Take(crypto::DerReader::kSequence));
  crypto::DerReader in(numbers);
  Bytes out(2 * field);
  for (size_t half = 0; half < 2; ++half) {
    BG_ASSIGN_OR_RETURN(const ByteView number, in.TakePositiveInteger());
    if (number.size() > field) return absl::InternalError("an ECDSA signature of another curve");
    std::ranges::copy(
        number, out.begin() + static_cast<std::ptrdiff_t>((half + 1) * field - number.size()));
  }
  return out;
}

absl::Status CheckSignature(const AlgRow& row, const PublicKey& key, absl::string_view input,
                            ByteView signature) {
  const crypto::Digest digest = crypto::Hash(row.hash, AsBytes(input));
  if (!row.curve.has_value()) return key.Verify(row.scheme, digest, signature);
  const size_t field = crypto::FieldSize(*row.curve);
  if (signature.size() != 2 * field) return absl::InvalidArgumentError("of another length");
  return key.VerifyEcdsa(digest, signature.first(field), signature.subspan(field));
}

}  // namespace

absl::string_view Name(JwsAlg alg) { return RowOf(alg).name; }

std::optional<JwsAlg> JwsAlgFromName(absl::string_view name) {
  for (const AlgRow& row : kAlgs) {
    if (row.name == name) return row.alg;
  }
  return std::nullopt;
}

bool Fits(JwsAlg alg, const PublicKey& key) {
  const AlgRow& row = RowOf(alg);
  if (!row.curve.has_value()) return key.kind() == PublicKey::Kind::kRsa;
  return key.kind() == PublicKey::Kind::kEc && key.curve() == row.curve;
}

absl::StatusOr<ParsedJws> ParsedJws::Parse(absl::string_view compact) {
  if (compact.size() > kMaxJwsBytes) {
    return Bad(absl::StrCat(compact.size(), " bytes, at most ", kMaxJwsBytes, " are accepted"));
  }
  const std::vector<absl::string_view> parts =
      absl::StrSplit(compact, absl::MaxSplits('.', kParts));
  if (parts.size() != kParts) return Bad("not three parts with dots between them");
  if (parts[0].size() > (kMaxJwsHeaderBytes / 3 + 1) * 4) return Bad("the header: too long");
  Bytes decoded[kParts];
  const char* const names[kParts] = {"header", "payload", "signature"};
  for (size_t i = 0; i < kParts; ++i) {
    absl::StatusOr<Bytes> bytes = FromBase64Url(parts[i]);
    if (!bytes.ok()) return Bad(absl::StrCat("the ", names[i], " is not base64url"));
    decoded[i] = *std::move(bytes);
  }
  ParsedJws out;
  const absl::string_view header = AsText(decoded[0]);
  BG_ASSIGN_OR_RETURN(out.header_, ReadHeader(header));
  out.header_json_ = std::string(header.data(), header.size());
  out.signing_input_ = absl::StrCat(parts[0], ".", parts[1]);
  out.payload_ = std::move(decoded[1]);
  out.signature_ = std::move(decoded[2]);
  return out;
}

absl::StatusOr<VerifiedJws> ParsedJws::Verify(const PublicKey& key) const {
  const std::optional<JwsAlg> alg = JwsAlgFromName(header_.alg);
  if (!alg.has_value()) {
    return NotAuthentic(
        Reason::kJwsAlg,
        absl::StrCat("the algorithm \"", Printable(header_.alg, 32), "\" is not accepted"));
  }
  if (!Fits(*alg, key)) {
    return NotAuthentic(Reason::kJwsAlg,
                        absl::StrCat("the algorithm ", Name(*alg), " does not fit the key"));
  }
  if (!CheckSignature(RowOf(*alg), key, signing_input_, signature_).ok()) {
    return NotAuthentic(Reason::kJwsSignature, "the signature does not verify under the key");
  }
  return VerifiedJws(header_, payload_, key);
}

absl::StatusOr<Bytes> ParsedJws::PayloadOfUnsigned() const {
  if (header_.alg != kNone) {
    return NotAuthentic(Reason::kJwsAlg, absl::StrCat("not an unsigned text: its algorithm is \"",
                                                      Printable(header_.alg, 32), "\""));
  }
  if (!signature_.empty()) {
    return NotAuthentic(Reason::kJwsAlg, "algorithm \"none\", and yet a signature");
  }
  return payload_;
}

absl::StatusOr<std::string> SignJws(const crypto::PrivateKey& key, JwsAlg alg,
                                    const JwsHeader& header, absl::string_view payload) {
  if (!Fits(alg, key.Public())) {
    return NotAuthentic(Reason::kJwsAlg,
                        absl::StrCat("the algorithm ", Name(alg), " does not fit the key"));
  }
  const AlgRow& row = RowOf(alg);
  const std::string input = absl::StrCat(ToBase64Url(AsBytes(HeaderText(alg, header))), ".",
                                         ToBase64Url(AsBytes(payload)));
  BG_ASSIGN_OR_RETURN(Bytes signature,
                      key.Sign(row.scheme, crypto::Hash(row.hash, AsBytes(input))));
  if (row.curve.has_value()) {
    BG_ASSIGN_OR_RETURN(signature, Concatenated(signature, crypto::FieldSize(*row.curve)));
  }
  return absl::StrCat(input, ".", ToBase64Url(signature));
}

std::string UnsignedJws(absl::string_view payload) {
  return absl::StrCat(ToBase64Url(AsBytes("{\"alg\":\"none\"}")), ".",
                      ToBase64Url(AsBytes(payload)), ".");
}

}  // namespace bootgate::jose
