// Pages of a list. A token says where the next page begins, and is good for the request it was made
// for alone: other filters with an old token would skip rows unseen.
#pragma once

#include <string>
#include <vector>

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

// A page of a list that is at hand whole; the position is an index. `next`: empty: that was all.
struct Slice {
  size_t begin = 0, end = 0;
  std::string next;
};
absl::StatusOr<Slice> SliceOf(const Call& call, const Message& request, size_t rows);

}  // namespace bootgate::gatekeeper::operators
