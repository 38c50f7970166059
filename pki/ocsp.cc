#include "pki/ocsp.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/der.h"
#include "pki/extensions.h"

namespace bootgate::pki {
namespace {

using der::ReadElement;

constexpr size_t kMaxExtensions = 16;  // in one list
constexpr uint8_t Tagged(uint8_t number) { return der::kContextConstructed | number; }

const Bytes& NonceOid() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 1, 2});
  return kOid;
}
const Bytes& BasicResponseOid() {
  static const Bytes kOid = der::Oid({1, 3, 6, 1, 5, 5, 7, 48, 1, 1});
  return kOid;
}

absl::Status BadRequest(absl::string_view what) {
  return Malformed(Reason::kMessageMalformed, absl::StrCat("OCSP request: ", what));
}

// The next element where it has this tag; nullopt, and nothing read, where it has not.
absl::StatusOr<std::optional<ReadElement>> Optional(bytes::Reader& in, uint8_t tag) {
  if (in.empty() || in.rest().front() != tag) return std::nullopt;
  BG_ASSIGN_OR_RETURN(const ReadElement element, der::Read(in));
  return element;
}

// The one element inside an element, and nothing beside it.
absl::StatusOr<ReadElement> Only(const ReadElement& outer, uint8_t tag) {
  bytes::Reader in(outer.contents);
  BG_ASSIGN_OR_RETURN(const ReadElement inner, der::Expect(in, tag));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return inner;
}

std::optional<crypto::HashAlg> HashAlgOf(ByteView oid) {
  static const struct {
    Bytes oid;
    crypto::HashAlg alg;
  } kKnown[] = {{der::Oid({1, 3, 14, 3, 2, 26}), crypto::HashAlg::kSha1},
                {der::Oid({2, 16, 840, 1, 101, 3, 4, 2, 1}), crypto::HashAlg::kSha256},
                {der::Oid({2, 16, 840, 1, 101, 3, 4, 2, 2}), crypto::HashAlg::kSha384},
                {der::Oid({2, 16, 840, 1, 101, 3, 4, 2, 3}), crypto::HashAlg::kSha512}};
  for (const auto& row : kKnown) {
    if (SameBytes(row.oid, oid)) return row.alg;
  }
  return std::nullopt;
}

// Of an INTEGER's contents; empty for what is no serial of ours.
Bytes MagnitudeOf(ByteView integer) {
  if (integer.empty() || (integer.front() & 0x80) != 0) return {};
  while (integer.size() > 1 && integer.front() == 0) integer = integer.subspan(1);
  return integer.size() <= kMaxSerialSize ? ToBytes(integer) : Bytes{};
}

absl::StatusOr<OcspCertId> ReadCertId(const ReadElement& element) {
  OcspCertId id;
  id.der = ToBytes(element.whole);
  bytes::Reader in(element.contents);
  BG_ASSIGN_OR_RETURN(const ReadElement algorithm, der::Expect(in, der::kSequence));
  bytes::Reader inside(algorithm.contents);
  BG_ASSIGN_OR_RETURN(const ReadElement oid, der::Expect(inside, der::kOid));
  id.alg = HashAlgOf(oid.whole);
  BG_ASSIGN_OR_RETURN(const ReadElement name, der::Expect(in, der::kOctetString));
  BG_ASSIGN_OR_RETURN(const ReadElement key, der::Expect(in, der::kOctetString));
  BG_ASSIGN_OR_RETURN(const ReadElement serial, der::Expect(in, der::kInteger));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  id.issuer_name_hash = ToBytes(name.contents);
  id.issuer_key_hash = ToBytes(key.contents);
  id.serial = MagnitudeOf(serial.contents);
  return id;
}

// One Extension; `nonce`: where a nonce goes, nullptr where there can be none.
absl::Status ReadExtension(const ReadElement& extension, Bytes* nonce) {
  bytes::Reader in(extension.contents);
  BG_ASSIGN_OR_RETURN(const ReadElement oid, der::Expect(in, der::kOid));
  BG_ASSIGN_OR_RETURN(const std::optional<ReadElement> critical, Optional(in, der::kBoolean));
  BG_ASSIGN_OR_RETURN(const ReadElement value, der::Expect(in, der::kOctetString));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  if (nonce != nullptr && SameBytes(oid.whole, NonceOid())) {
    constexpr size_t kHeader = 3;  // bytes, of the OCTET STRING around the nonce
    if (!nonce->empty() || value.contents.empty()) return BadRequest("a nonce twice, or empty");
    if (value.contents.size() > kMaxOcspNonce + kHeader) return BadRequest("the nonce is too long");
    *nonce = ToBytes(value.contents);
    return absl::OkStatus();
  }
  const bool is_critical =
      critical.has_value() && critical->contents.size() == 1 && critical->contents.front() != 0;
  return is_critical ? BadRequest("an unknown critical extension") : absl::OkStatus();
}

// Of an element that is Extensions inside a tag of its own.
absl::Status ReadExtensions(const ReadElement& tagged, Bytes* nonce) {
  BG_ASSIGN_OR_RETURN(const ReadElement list, Only(tagged, der::kSequence));
  bytes::Reader in(list.contents);
  for (size_t count = 1; !in.empty(); ++count) {
    if (count > kMaxExtensions) return BadRequest("too many extensions");
    BG_ASSIGN_OR_RETURN(const ReadElement extension, der::Expect(in, der::kSequence));
    BG_RETURN_IF_ERROR(ReadExtension(extension, nonce));
  }
  return absl::OkStatus();
}

absl::Status ReadRequestList(ByteView list, std::vector<OcspCertId>* out) {
  bytes::Reader in(list);
  while (!in.empty()) {
    if (out->size() == kMaxOcspCertificates) return BadRequest("too many certificates");
    BG_ASSIGN_OR_RETURN(const ReadElement request, der::Expect(in, der::kSequence));
    bytes::Reader inside(request.contents);
    BG_ASSIGN_OR_RETURN(const ReadElement id, der::Expect(inside, der::kSequence));
    BG_ASSIGN_OR_RETURN(OcspCertId certificate, ReadCertId(id));
    out->push_back(std::move(certificate));
    BG_ASSIGN_OR_RETURN(const auto extensions, Optional(inside, Tagged(0)));
    if (extensions.has_value()) BG_RETURN_IF_ERROR(ReadExtensions(*extensions, nullptr));
    BG_RETURN_IF_ERROR(inside.ExpectEnd());
  }
  return out->empty() ? BadRequest("no certificate is asked for") : absl::OkStatus();
}

absl::StatusOr<OcspRequest> ReadTbsRequest(ByteView tbs) {
  OcspRequest request;
  bytes::Reader in(tbs);
  BG_ASSIGN_OR_RETURN(const auto version, Optional(in, Tagged(0)));
  if (version.has_value()) {
    BG_ASSIGN_OR_RETURN(const ReadElement number, Only(*version, der::kInteger));
    if (number.contents.size() != 1 || number.contents.front() != 0)
      return BadRequest("not of version 1");
  }
  BG_RETURN_IF_ERROR(Optional(in, Tagged(1)).status());  // requestorName: of no interest
  BG_ASSIGN_OR_RETURN(const ReadElement list, der::Expect(in, der::kSequence));
  BG_RETURN_IF_ERROR(ReadRequestList(list.contents, &request.certificates));
  BG_ASSIGN_OR_RETURN(const auto extensions, Optional(in, Tagged(2)));
  if (extensions.has_value()) BG_RETURN_IF_ERROR(ReadExtensions(*extensions, &request.nonce));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return request;
}

absl::StatusOr<OcspRequest> ReadRequest(ByteView der) {
  bytes::Reader in(der);
  BG_ASSIGN_OR_RETURN(const ReadElement whole, der::Expect(in, der::kSequence));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  bytes::Reader inside(whole.contents);
  BG_ASSIGN_OR_RETURN(const ReadElement tbs, der::Expect(inside, der::kSequence));
  BG_ASSIGN_OR_RETURN(OcspRequest request, ReadTbsRequest(tbs.contents));
  BG_RETURN_IF_ERROR(Optional(inside, Tagged(0)).status());  // a signature: nobody asks for one
  BG_RETURN_IF_ERROR(inside.ExpectEnd());
  return request;
}

// CertStatus, section 4.2.1.
Bytes StatusDer(const OcspAnswer& answer) {
  switch (answer.status) {
    case OcspStatus::kGood:
      return der::Element(der::kContextPrimitive | 0, {});
    case OcspStatus::kUnknown:
      return der::Element(der::kContextPrimitive | 2, {});
    case OcspStatus::kRevoked:
      break;
  }
  Bytes reason;
  if (answer.reason != RevocationReason::kUnspecified) {
    reason = der::Element(Tagged(0), {der::Enumerated(static_cast<uint8_t>(answer.reason))});
  }
  return der::Element(Tagged(1), {der::GeneralizedTime(answer.revoked_at), reason});
}

Bytes ResponseData(const OcspFields& fields) {
  const Bytes this_update = der::GeneralizedTime(fields.this_update);
  const Bytes next_update = der::Element(Tagged(0), {der::GeneralizedTime(fields.next_update)});
  Bytes answers;
  for (const OcspAnswer& answer : fields.answers) {
    const Bytes single =
        der::Sequence({answer.cert_id, StatusDer(answer), this_update, next_update});
    answers.insert(answers.end(), single.begin(), single.end());
  }
  const Bytes by_key =
      der::Element(Tagged(2), {der::Element(der::kOctetString, {fields.responder_key_hash})});
  Bytes extensions;
  if (!fields.nonce.empty()) {
    const Bytes nonce = ext::Extension(NonceOid(), ext::Criticality::kNotCritical, fields.nonce);
    extensions = der::Element(Tagged(1), {der::Sequence({nonce})});
  }
  return der::Sequence({by_key, this_update, der::Sequence({answers}), extensions});
}

}  // namespace

absl::StatusOr<OcspRequest> ReadOcspRequest(ByteView der) {
  if (der.size() > kMaxOcspRequest) {
    return Malformed(Reason::kMessageTooLarge,
                     absl::StrCat("OCSP request of ", der.size(), " bytes"));
  }
  absl::StatusOr<OcspRequest> request = ReadRequest(der);
  if (request.ok() || ReasonOf(request.status()).has_value()) return request;
  return BadRequest(request.status().message());
}

absl::StatusOr<Bytes> MakeOcspResponse(const OcspFields& fields, const CertificateSigner& signer) {
  const Bytes certificates =
      der::Element(Tagged(0), {der::Sequence({fields.responder_certificate})});
  BG_ASSIGN_OR_RETURN(const Bytes basic, signer.SignElement(ResponseData(fields), certificates));
  const Bytes bytes = der::Sequence({BasicResponseOid(), der::Element(der::kOctetString, {basic})});
  constexpr uint8_t kSuccessful = 0;
  return der::Sequence({der::Enumerated(kSuccessful), der::Element(Tagged(0), {bytes})});
}

Bytes OcspErrorResponse(OcspError error) {
  return der::Sequence({der::Enumerated(static_cast<uint8_t>(error))});
}

}  // namespace bootgate::pki
