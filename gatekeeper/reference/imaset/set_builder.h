// Sets for tests, item by item.
#pragma once

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/crypto/hash.h"
#include "gatekeeper/reference/imaset/ima_set.h"
#include "gatekeeper/reference/imaset/write.h"

namespace bootgate::testing {

inline Bytes DigestOf(absl::string_view content) {
  return ToBytes(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(content)).view());
}

inline gatekeeper::reference::SetItem Item(absl::string_view path, absl::string_view content,
                                           gatekeeper::reference::Window window = {}) {
  gatekeeper::reference::SetItem item;
  item.path = std::string(path);
  item.digest = DigestOf(content);
  item.window = window;
  return item;
}

inline gatekeeper::reference::Package Deb(absl::string_view name, absl::string_view version) {
  return {std::string(name), std::string(version), "deb:amd64"};
}

inline gatekeeper::reference::SetItem Packaged(absl::string_view path, absl::string_view content,
                                               const gatekeeper::reference::Package& package) {
  gatekeeper::reference::SetItem item = Item(path, content);
  item.package = package;
  return item;
}

inline absl::StatusOr<std::shared_ptr<const gatekeeper::reference::ImaSet>> Opened(
    const gatekeeper::reference::SetDraft& draft) {
  absl::StatusOr<Bytes> bytes = gatekeeper::reference::WriteSet(draft);
  if (!bytes.ok()) return bytes.status();
  return gatekeeper::reference::ImaSet::FromBytes(*std::move(bytes));
}

// `count` paths as a distribution has them: many in one folder, some seventy bytes long.
inline gatekeeper::reference::SetDraft LargeDraft(size_t count) {
  gatekeeper::reference::SetDraft draft;
  draft.items.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    const std::string folder =
        absl::StrCat("/usr/lib/python3/dist-packages/package-", i / 10, "/vendor/module-", i / 5);
    const auto package = Deb(absl::StrCat("package-", i / 100), absl::StrCat("1.", i / 100, "-1"));
    draft.items.push_back(
        Packaged(absl::StrCat(folder, "/file-", i, ".py"), absl::StrCat(i), package));
  }
  return draft;
}

}  // namespace bootgate::testing
