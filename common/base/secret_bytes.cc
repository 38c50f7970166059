#include "common/base/secret_bytes.h"

#include <string.h>  // explicit_bzero

namespace bootgate {

bool SecretBytes::ConstantTimeEquals(ByteView other) const {
  if (other.size() != bytes_.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < bytes_.size(); ++i) {
    difference = static_cast<uint8_t>(difference | (bytes_[i] ^ other[i]));
  }
  return difference == 0;
}

void SecretBytes::Wipe() {
  if (!bytes_.empty()) explicit_bzero(bytes_.data(), bytes_.size());
}

}  // namespace bootgate
