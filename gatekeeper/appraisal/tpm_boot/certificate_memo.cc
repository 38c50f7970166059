#include "gatekeeper/appraisal/tpm_boot/certificate_memo.h"

#include <optional>
#include <utility>

namespace bootgate::gatekeeper::appraisal::tpm_boot {

std::shared_ptr<const crypto::CertificateFacts> CertificateMemo::Read(const crypto::Digest& digest,
                                                                      ByteView der) {
  const std::string key(AsText(digest.view()));
  {
    const std::scoped_lock lock(mutex_);
    if (const auto found = read_.find(key); found != read_.end()) return found->second;
  }
  std::optional<crypto::CertificateFacts> facts = crypto::ReadCertificateFacts(der);
  auto kept = facts.has_value()
                  ? std::make_shared<const crypto::CertificateFacts>(*std::move(facts))
                  : nullptr;
  const std::scoped_lock lock(mutex_);
  if (read_.size() >= kMost) read_.clear();
  read_.emplace(key, kept);
  return kept;
}

size_t CertificateMemo::size() const {
  const std::scoped_lock lock(mutex_);
  return read_.size();
}

}  // namespace bootgate::gatekeeper::appraisal::tpm_boot
