#include "pki/crl.h"

#include <algorithm>
#include <array>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "pki/der.h"
#include "pki/extensions.h"

namespace bootgate::pki {
namespace {

constexpr uint8_t kExtensionsTag = der::kContextConstructed | 0;
constexpr size_t kEntrySize = 96;  // bytes; no entry is longer, so its length stands in one byte
constexpr size_t kPemLineSize = 64;

struct NamedReason {
  RevocationReason reason;
  absl::string_view name;
};
constexpr NamedReason kReasons[] = {
    {RevocationReason::kUnspecified, "unspecified"},
    {RevocationReason::kKeyCompromise, "key-compromise"},
    {RevocationReason::kCaCompromise, "ca-compromise"},
    {RevocationReason::kAffiliationChanged, "affiliation-changed"},
    {RevocationReason::kSuperseded, "superseded"},
    {RevocationReason::kCessationOfOperation, "cessation-of-operation"},
    {RevocationReason::kPrivilegeWithdrawn, "privilege-withdrawn"},
};

void Append(ByteView part, Bytes& out) { out.insert(out.end(), part.begin(), part.end()); }

// Times repeat: a quarantine revokes several certificates, and a fleet many in a second.
class TimeMemory {
 public:
  explicit TimeMemory(Bytes (*encode)(absl::Time)) : encode_(encode) {}
  ByteView Of(absl::Time time) {
    const int64_t second = absl::ToUnixSeconds(time);
    if (der_.empty() || second != second_) {
      second_ = second;
      der_ = encode_(time);
    }
    return der_;
  }

 private:
  Bytes (*const encode_)(absl::Time);
  int64_t second_ = 0;
  Bytes der_;
};

// One entry after the other, written in place: lists have a hundred thousand.
class EntryWriter {
 public:
  explicit EntryWriter(size_t count) { out_.reserve(count * kEntrySize); }

  void Add(const RevokedCertificate& certificate) {
    out_.push_back(der::kSequence);
    const size_t length_at = out_.size();
    out_.push_back(0);
    AddSerial(certificate.serial);
    Append(revoked_at_.Of(certificate.revoked_at), out_);
    AddExtensions(certificate);
    out_[length_at] = static_cast<uint8_t>(out_.size() - length_at - 1);
  }
  const Bytes& entries() const { return out_; }

 private:
  void AddSerial(ByteView serial) {
    while (serial.size() > 1 && serial.front() == 0) serial = serial.subspan(1);
    const bool needs_zero = (serial.front() & 0x80) != 0;
    out_.push_back(der::kInteger);
    out_.push_back(static_cast<uint8_t>(serial.size() + (needs_zero ? 1 : 0)));
    if (needs_zero) out_.push_back(0);
    Append(serial, out_);
  }

  void AddExtensions(const RevokedCertificate& certificate) {
    const Bytes& reason = ReasonExtension(certificate.reason);
    const bool since = certificate.invalid_since.has_value();
    if (reason.empty() && !since) return;
    const ByteView time = since ? invalid_since_.Of(*certificate.invalid_since) : ByteView();
    out_.push_back(der::kSequence);
    out_.push_back(static_cast<uint8_t>(reason.size() + time.size()));
    Append(reason, out_);
    Append(time, out_);
  }

  // Left out where it says nothing (section 5.3.1).
  const Bytes& ReasonExtension(RevocationReason reason) {
    Bytes& made = reasons_[static_cast<uint8_t>(reason) & 0x0f];
    if (made.empty() && reason != RevocationReason::kUnspecified) {
      made = ext::Extension(der::Oid({2, 5, 29, 21}), ext::Criticality::kNotCritical,
                            der::Enumerated(static_cast<uint8_t>(reason)));
    }
    return made;
  }

  static Bytes InvalidityExtension(absl::Time time) {
    return ext::Extension(der::Oid({2, 5, 29, 24}), ext::Criticality::kNotCritical,
                          der::GeneralizedTime(time));
  }

  Bytes out_;
  std::array<Bytes, 16> reasons_;
  TimeMemory revoked_at_{der::Time}, invalid_since_{InvalidityExtension};
};

absl::Status CheckFields(const CrlFields& fields, std::span<const RevokedCertificate> revoked) {
  if (fields.next_update <= fields.this_update) {
    return Refuse(absl::StatusCode::kInternal, Reason::kCa,
                  "a CRL's next update is not after this one");
  }
  for (const RevokedCertificate& certificate : revoked) {
    if (!certificate.serial.empty() && certificate.serial.size() <= kMaxSerialSize) continue;
    return Refuse(absl::StatusCode::kInternal, Reason::kCa,
                  absl::StrCat("a serial of ", certificate.serial.size(), " bytes in a CRL"));
  }
  return absl::OkStatus();
}

Bytes RevokedList(const CrlFields& fields, std::span<const RevokedCertificate> revoked) {
  EntryWriter writer(revoked.size());
  for (const RevokedCertificate& certificate : revoked) {
    if (IsListed(certificate, fields)) writer.Add(certificate);
  }
  // An empty list is left out, never empty (section 5.1.2.6).
  return writer.entries().empty() ? Bytes{} : der::Sequence({writer.entries()});
}

}  // namespace

absl::string_view Name(RevocationReason reason) {
  for (const NamedReason& row : kReasons) {
    if (row.reason == reason) return row.name;
  }
  return "unspecified";
}

std::optional<RevocationReason> RevocationReasonFromName(absl::string_view name) {
  for (const NamedReason& row : kReasons) {
    if (row.name == name) return row.reason;
  }
  return std::nullopt;
}

std::string RevocationReasonNames() {
  std::string names;
  for (const NamedReason& row : kReasons) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", row.name);
  }
  return names;
}

bool IsListed(const RevokedCertificate& certificate, const CrlFields& fields) {
  return certificate.not_after + (fields.next_update - fields.this_update) >= fields.this_update;
}

absl::StatusOr<Bytes> MakeCrl(const CrlFields& fields, std::span<const RevokedCertificate> revoked,
                              const CertificateSigner& signer) {
  constexpr uint8_t kVersion2[] = {der::kInteger, 1, 1};
  BG_RETURN_IF_ERROR(CheckFields(fields, revoked));
  const Bytes number = ext::Extension(der::Oid({2, 5, 29, 20}), ext::Criticality::kNotCritical,
                                      der::Number(fields.number));
  const Bytes extensions = der::Element(
      kExtensionsTag, {der::Sequence({ext::AuthorityKeyIdentifier(fields.issuer_key_id), number})});
  const Bytes tbs =
      der::Sequence({kVersion2, signer.algorithm(), fields.issuer, der::Time(fields.this_update),
                     der::Time(fields.next_update), RevokedList(fields, revoked), extensions});
  return signer.SignElement(tbs);
}

std::string CrlToPem(ByteView der) {
  const std::string text = absl::Base64Escape(AsText(der));
  std::string pem = "-----BEGIN X509 CRL-----\n";
  pem.reserve(text.size() + text.size() / kPemLineSize + 64);
  for (size_t at = 0; at < text.size(); at += kPemLineSize) {
    pem.append(text, at, kPemLineSize).push_back('\n');
  }
  return pem += "-----END X509 CRL-----\n";
}

}  // namespace bootgate::pki
