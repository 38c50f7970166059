// Certificates that many machines share, by fingerprint: Microsoft's, the distributions' shim keys,
// platform keys of vendors, and keys that no machine in use should have.
//
// A name from this table says that the bytes are those published under that name. It informs
// people; whether a key may be there is the policy's to say.
#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/bytes_view.h"

namespace bootgate::eventlog {

enum class CertificateOrigin {
  kMicrosoft,     // Windows, UEFI CA, KEK
  kDistribution,  // Debian, Ubuntu, Red Hat, ...
  kVendor,        // the machine's maker or a cloud
  kTest,          // samples and development keys, whose private halves went around
};
absl::string_view Name(CertificateOrigin origin);  // "microsoft", "distribution", "vendor", "test"

struct KnownCertificate {
  absl::string_view sha256;  // of the DER, lower-case hexadecimal
  CertificateOrigin origin = CertificateOrigin::kMicrosoft;
  absl::string_view name;  // "Microsoft Corporation UEFI CA 2011"
};

// nullptr when the fingerprint (32 bytes) is not in the table.
const KnownCertificate* FindKnownCertificate(ByteView sha256);

// Whether a subject says itself that it is for tests: "DO NOT TRUST - AMI Test PK", "Snake Oil".
bool IsTestSubject(absl::string_view subject);

absl::Span<const KnownCertificate> AllKnownCertificates();

}  // namespace bootgate::eventlog
