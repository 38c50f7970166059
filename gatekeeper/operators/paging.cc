#include "gatekeeper/operators/paging.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/operators/messages.h"

namespace bootgate::gatekeeper::operators {
namespace {

constexpr size_t kMarkDigits = 16;

absl::Status NoToken() {
  return Malformed(Reason::kPageToken,
                   "page_token: not one that was given out for this very request");
}

// What a token is bound to: the method and all that says which rows there are, in which order.
std::string MarkOf(const Call& call, const Message& request) {
  const std::unique_ptr<Message> copy(request.New());
  copy->CopyFrom(request);
  for (const char* name : {"page_size", "page_token", "fields"}) {
    const auto* const field = copy->GetDescriptor()->FindFieldByName(name);
    if (field != nullptr) copy->GetReflection()->ClearField(copy.get(), field);
  }
  return ToHex(DigestOf(call.method, *copy)).substr(0, kMarkDigits);
}

}  // namespace

absl::StatusOr<Page> PageOf(const Call& call, const Message& request) {
  const auto& reflection = *request.GetReflection();
  const auto* const size = request.GetDescriptor()->FindFieldByName("page_size");
  const auto* const token = request.GetDescriptor()->FindFieldByName("page_token");
  Page page;
  const int32_t wanted = reflection.GetInt32(request, size);
  if (wanted < 0) {
    return Malformed(Reason::kMessageMalformed, absl::StrCat("page_size: ", wanted, "; 1 to ",
                                                             kMaxPage, ", 0 for ", kDefaultPage));
  }
  if (wanted > 0) page.size = std::min(kMaxPage, static_cast<size_t>(wanted));
  const std::string text = reflection.GetString(request, token);
  if (text.empty()) return page;
  const absl::StatusOr<Bytes> bytes = FromBase64Url(text);
  if (!bytes.ok()) return NoToken();
  const std::string plain(AsText(*bytes));
  if (plain.size() <= kMarkDigits || plain.substr(0, kMarkDigits) != MarkOf(call, request))
    return NoToken();
  page.after = plain.substr(kMarkDigits);
  return page;
}

std::string TokenFor(const Call& call, const Message& request, const std::string& position) {
  if (position.empty()) return "";
  return ToBase64Url(AsBytes(absl::StrCat(MarkOf(call, request), position)));
}

absl::StatusOr<Slice> SliceOf(const Call& call, const Message& request, size_t rows) {
  BG_ASSIGN_OR_RETURN(const Page page, PageOf(call, request));
  Slice out;
  uint64_t begin = 0;
  if (!page.after.empty() && !absl::SimpleAtoi(page.after, &begin)) return NoToken();
  out.begin = std::min<size_t>(begin, rows);
  out.end = std::min(rows, out.begin + page.size);
  if (out.end < rows) out.next = TokenFor(call, request, absl::StrCat(out.end));
  return out;
}

}  // namespace bootgate::gatekeeper::operators
