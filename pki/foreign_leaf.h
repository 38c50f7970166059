// What EK and AK certificates of others have in common: where they come from, and how they are
// read.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "common/base/reason.h"
#include "common/crypto/owners.h"

namespace bootgate::pki {

struct ForeignLeaf {
  crypto::X509Ptr certificate;
  std::vector<std::string> tolerances;  // one sentence each
};

// The certificate out of what an NV index or a file held. Tolerated, and said: a stored-certificate
// header of TPM 1.2 times before it (TCG PC Client Specific Implementation Specification 1.21,
// section 7.3.2), 0x00 and 0xff behind its end, BER where DER is meant. `what`: "EK certificate",
// for messages. CERT_PARSE.
absl::StatusOr<ForeignLeaf> ParseForeignLeaf(ByteView nv_contents, absl::string_view what);

inline constexpr size_t kMaxIntermediates = 8;

struct Intermediates {
  std::vector<crypto::X509Ptr> certificates;
  std::vector<std::string> tolerances;  // "intermediate 2: ..."
};

// What came beside a leaf: each element one certificate, or what an NV index held, which may be
// several of them one after the other and padding (EK Credential Profile 2.5, 2.2.1.5.2, as Intel's
// On-Die CA does). CERT_PARSE (also: more than kMaxIntermediates), KEY_WEAK, KEY_TOO_LARGE: sizes
// before signatures, so that an oversized key costs a parse and no arithmetic.
absl::StatusOr<Intermediates> ParseIntermediates(const std::vector<Bytes>& sent);

// No critical extension that nobody knows, none twice. `reason` with the extension's number.
absl::Status CheckExtensions(const X509* certificate, Reason reason);

// The extended key usages by their numbers; nullopt when there is no such extension, `reason` when
// it is malformed or empty.
absl::StatusOr<std::optional<std::vector<std::string>>> PurposesOf(const X509* certificate,
                                                                   Reason reason);

// Validity written in a way that RFC 5280, 4.1.2.5 does not allow, but that tells a time: without
// seconds, with an offset from UTC, or with a year before 2050 in four digits. "" when it is
// regular.
std::string OddTimes(const X509* certificate);
// Of those, what OpenSSL's path validation does not read.
bool HasTimesForUsAlone(const X509* certificate);

// "" or what is odd about a serial number that we live with: 0, or longer than 20 bytes, or a
// random number whose leading zero was forgotten. `reason` for one that is negative beyond that
// excuse.
absl::StatusOr<std::string> OddSerial(const X509* certificate, Reason reason);

// Names a TPM's manufacturer (2.23.133.2.1) in its subjectAltName.
bool NamesTpm(const X509* certificate);

// "manufacturer id:..., model ..., version ..." from the directoryName; the subject when there is
// none.
std::string TpmText(const X509* certificate);

}  // namespace bootgate::pki
