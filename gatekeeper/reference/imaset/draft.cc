#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

absl::string_view NameOf(DigestKind kind) {
  switch (kind) {
    case DigestKind::kFile:
      return "file";
    case DigestKind::kFsVerity:
      return "fs-verity";
    case DigestKind::kBuffer:
      return "buffer";
    case DigestKind::kKeyring:
      return "keyring";
  }
  __builtin_unreachable();
}

}  // namespace bootgate::gatekeeper::reference
