#include "common/tpm2/attest.h"

#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"

namespace bootgate::tpm2 {
namespace {

using bytes::Reader;

// How one kind of attestation is told from the others.
struct Kind {
  AttestType type;
  Reason bad_magic, bad_type;
};
constexpr Kind kQuoteKind = {AttestType::kQuote, Reason::kQuoteMagic, Reason::kQuoteType};
constexpr Kind kCertifyKind = {AttestType::kCertify, Reason::kCertifyMagic, Reason::kCertifyType};

absl::Status Marshal(absl::Status status, absl::string_view what) {
  if (status.ok() || ReasonOf(status).has_value()) return status;
  return WithReason(absl::Status(status.code(), absl::StrCat(what, ": ", status.message())),
                    Reason::kTpmMarshal);
}

absl::Status ReadKind(Reader& in, const Kind& kind) {
  BG_ASSIGN_OR_RETURN(const uint32_t magic, in.U32Be());
  if (magic != kGenerated) {
    return NotAuthentic(kind.bad_magic,
                        absl::StrCat("magic 0x", absl::Hex(magic, absl::kZeroPad8)));
  }
  BG_ASSIGN_OR_RETURN(const uint16_t type, in.U16Be());
  if (type != static_cast<uint16_t>(kind.type)) {
    return NotAuthentic(kind.bad_type, absl::StrCat("attestation type 0x", absl::Hex(type)));
  }
  return absl::OkStatus();
}

absl::StatusOr<Bytes> ReadSized(Reader& in) {
  BG_ASSIGN_OR_RETURN(const ByteView value, in.Sized16Be());
  return ToBytes(value);
}

absl::StatusOr<ClockInfo> ReadClock(Reader& in) {
  ClockInfo out;
  BG_ASSIGN_OR_RETURN(out.clock_ms, in.U64Be());
  BG_ASSIGN_OR_RETURN(out.reset_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(out.restart_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(const uint8_t safe, in.U8());
  if (safe > 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("TPMI_YES_NO ", safe, " before offset ", in.offset()));
  }
  out.safe = safe == 1;
  return out;
}

absl::StatusOr<AttestHeader> ReadHeader(Reader& in, const Kind& kind) {
  BG_RETURN_IF_ERROR(ReadKind(in, kind));
  AttestHeader out;
  BG_ASSIGN_OR_RETURN(out.qualified_signer, ReadSized(in));
  BG_ASSIGN_OR_RETURN(out.extra_data, ReadSized(in));
  BG_ASSIGN_OR_RETURN(out.clock, ReadClock(in));
  BG_ASSIGN_OR_RETURN(out.firmware_version, in.U64Be());
  return out;
}

absl::StatusOr<QuoteInfo> ReadQuote(Reader in) {
  QuoteInfo out;
  BG_ASSIGN_OR_RETURN(out.header, ReadHeader(in, kQuoteKind));
  BG_ASSIGN_OR_RETURN(out.selection, registers::Unmarshal(in));
  BG_ASSIGN_OR_RETURN(out.pcr_digest, ReadSized(in));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return out;
}

absl::StatusOr<CertifyInfo> ReadCertify(Reader in) {
  CertifyInfo out;
  BG_ASSIGN_OR_RETURN(out.header, ReadHeader(in, kCertifyKind));
  BG_ASSIGN_OR_RETURN(out.name, ReadSized(in));
  BG_ASSIGN_OR_RETURN(out.qualified_name, ReadSized(in));
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return out;
}

absl::Status BadScheme(absl::string_view why) { return NotAuthentic(Reason::kSigScheme, why); }

absl::StatusOr<Signature> ReadSignature(Reader in) {
  Signature out;
  BG_ASSIGN_OR_RETURN(const uint16_t scheme, in.U16Be());
  out.scheme = static_cast<Alg>(scheme);
  const bool rsa = out.scheme == Alg::kRsassa || out.scheme == Alg::kRsapss;
  if (!rsa && out.scheme != Alg::kEcdsa) {
    return BadScheme(absl::StrCat("signature scheme 0x", absl::Hex(scheme)));
  }
  BG_ASSIGN_OR_RETURN(const uint16_t hash, in.U16Be());
  const std::optional<crypto::HashAlg> alg = crypto::HashAlgFromTpm(hash);
  if (!alg.has_value()) return BadScheme(absl::StrCat("signature hash 0x", absl::Hex(hash)));
  out.hash = *alg;
  if (rsa) {
    BG_ASSIGN_OR_RETURN(out.rsa, ReadSized(in));
  } else {
    BG_ASSIGN_OR_RETURN(out.r, ReadSized(in));
    BG_ASSIGN_OR_RETURN(out.s, ReadSized(in));
  }
  BG_RETURN_IF_ERROR(in.ExpectEnd());
  return out;
}

}  // namespace

absl::StatusOr<QuoteInfo> ParseQuote(ByteView attest) {
  absl::StatusOr<QuoteInfo> out = ReadQuote(Reader(attest));
  if (!out.ok()) return Marshal(out.status(), "TPMS_ATTEST");
  return out;
}

absl::StatusOr<CertifyInfo> ParseCertify(ByteView attest) {
  absl::StatusOr<CertifyInfo> out = ReadCertify(Reader(attest));
  if (!out.ok()) return Marshal(out.status(), "TPMS_ATTEST");
  return out;
}

absl::StatusOr<Signature> ParseSignature(ByteView tpmt_signature) {
  absl::StatusOr<Signature> out = ReadSignature(Reader(tpmt_signature));
  if (!out.ok()) return Marshal(out.status(), "TPMT_SIGNATURE");
  return out;
}

absl::Status VerifySignature(const Public& signer, ByteView message, const Signature& signature) {
  if (signature.scheme != signer.scheme || signature.hash != signer.scheme_hash) {
    return BadScheme("the signature's scheme is not the key's");
  }
  BG_ASSIGN_OR_RETURN(const crypto::PublicKey key, signer.Key());
  const crypto::Digest digest = crypto::Hash(signature.hash, message);
  switch (signature.scheme) {
    case Alg::kRsassa:
      return key.Verify(crypto::SignatureScheme::kRsassa, digest, signature.rsa);
    case Alg::kRsapss:
      return key.Verify(crypto::SignatureScheme::kRsapss, digest, signature.rsa);
    case Alg::kEcdsa:
      return key.VerifyEcdsa(digest, signature.r, signature.s);
    default:  // the others never sign
      return BadScheme("not a signature scheme that we take");
  }
}

}  // namespace bootgate::tpm2
