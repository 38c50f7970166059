#include "pki/key_holder.h"

#include <utility>

#include "common/base/reason.h"

namespace bootgate::pki {
namespace {

class MemoryKey final : public KeyHolder {
 public:
  MemoryKey(std::shared_ptr<const crypto::PrivateKey> key, std::string name)
      : key_(std::move(key)), name_(std::move(name)) {}

  const crypto::PublicKey& Public() const override { return key_->Public(); }
  absl::StatusOr<Bytes> Sign(const crypto::Digest& digest) const override {
    absl::StatusOr<Bytes> signature = key_->Sign(crypto::SignatureScheme::kEcdsa, digest);
    if (!signature.ok()) return WithReason(signature.status(), Reason::kCaKey);
    return signature;
  }
  std::string Describe() const override { return name_; }

 private:
  const std::shared_ptr<const crypto::PrivateKey> key_;
  const std::string name_;
};

}  // namespace

std::shared_ptr<const KeyHolder> InMemory(std::shared_ptr<const crypto::PrivateKey> key,
                                          std::string name) {
  return std::make_shared<const MemoryKey>(std::move(key), std::move(name));
}

}  // namespace bootgate::pki
