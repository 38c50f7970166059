// A draft as a set's file.
//
// The same items, in whatever order and however often, with the same texts make the same bytes and
// so the same id. An item says nothing, and is left out, where another of the same path, kind and
// digest has a window that contains its own; of equal ones that stays which is not replaced, and
// then that of the greater package.
#pragma once

#include "absl/status/statusor.h"
#include "common/base/bytes_view.h"
#include "gatekeeper/reference/imaset/draft.h"

namespace bootgate::gatekeeper::reference {

// kInvalidArgument names the item that cannot be written: its path is empty, too long or has a NUL,
// its digest is not as long as its algorithm's, its window ends before it begins, a text is longer
// than 65,535 bytes. kResourceExhausted: more than a set holds.
absl::StatusOr<Bytes> WriteSet(const SetDraft& draft);

}  // namespace bootgate::gatekeeper::reference
