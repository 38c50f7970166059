// What certificates in boot logs say, read once: most hosts list the same dozen, and a name takes
// OpenSSL longer than all the rest of a log's event.
//
// Bounded: when full it is emptied, so that a host with many certificates of its own costs what
// reading them costs, and no memory. Any thread.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "common/base/bytes_view.h"
#include "common/crypto/certificate_facts.h"

namespace bootgate::gatekeeper::appraisal::tpm_boot {

class CertificateMemo {
 public:
  static constexpr size_t kMost = 512;  // certificates; some 400 bytes each

  // nullptr: none that can be read. `digest` is SHA-256 over `der`.
  std::shared_ptr<const crypto::CertificateFacts> Read(const crypto::Digest& digest, ByteView der);
  size_t size() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const crypto::CertificateFacts>> read_;  // by digest
};

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
