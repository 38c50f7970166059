// Pages of a list. A token says where the next page begins, and is good for the request it was made
// for alone: other filters with an old token would skip rows unseen.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "gatekeeper/operators/handler.h"

namespace bootgate::gatekeeper::operators {

inline constexpr size_t kDefaultPage = 100, kMaxPage = 1000;

struct Page {
  size_t size = kDefaultPage;
  std::string after;  // position that the page before ended at; empty: the first page
};

// From `page_size` and `page_token` of the request. kInvalidArgument PAGE_TOKEN.
absl::StatusOr<Page> PageOf(const Call& call, const Message& request);
std::string TokenFor(const Call& call, const Message& request, const std::string& position);

// A page of a list that is at hand whole. `next`: empty: that was all.
struct Slice {
  size_t begin = 0, end = 0;
  std::string next;
};
// `mark_of` tells a row from every other one, by its index. The next page begins behind the row
// that this one ends with, wherever it is by then: rows that came or went before it neither hide
// nor repeat another. kFailedPrecondition PAGE_TOKEN when that very row is gone.
absl::StatusOr<Slice> SliceOf(const Call& call, const Message& request, size_t rows,
                              absl::FunctionRef<std::string(size_t row)> mark_of);

}  // namespace bootgate::gatekeeper::operators
