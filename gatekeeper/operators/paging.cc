#include "gatekeeper/operators/paging.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/hash.h"
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

using MarkOfRow = absl::FunctionRef<std::string(size_t row)>;

std::string ShortMark(const std::string& mark) {
  return ToHex(crypto::Hash(crypto::HashAlg::kSha256, AsBytes(mark)).view()).substr(0, kMarkDigits);
}

// "INDEX.MARK": where the next page begins while nothing changes, and the row before it.
std::string PositionBehind(size_t end, MarkOfRow mark_of) {
  return absl::StrCat(end, ".", ShortMark(mark_of(end - 1)));
}

absl::StatusOr<size_t> RowBehind(const std::string& position, size_t rows, MarkOfRow mark_of) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(position, '.');
  uint64_t index = 0;
  if (!absl::SimpleAtoi(parts.first, &index) || index == 0) return NoToken();
  if (index <= rows && ShortMark(mark_of(index - 1)) == parts.second) return index;
  for (size_t i = rows; i > 0; --i) {
    if (ShortMark(mark_of(i - 1)) == parts.second) return i;
  }
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kPageToken,
                "page_token: what the page before ended with is not in the list any more: begin "
                "anew without a token");
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

absl::StatusOr<Slice> SliceOf(const Call& call, const Message& request, size_t rows,
                              absl::FunctionRef<std::string(size_t row)> mark_of) {
  BG_ASSIGN_OR_RETURN(const Page page, PageOf(call, request));
  Slice out;
  if (!page.after.empty()) {
    BG_ASSIGN_OR_RETURN(out.begin, RowBehind(page.after, rows, mark_of));
  }
  out.end = std::min(rows, out.begin + page.size);
  if (out.end < rows) out.next = TokenFor(call, request, PositionBehind(out.end, mark_of));
  return out;
}

}  // namespace bootgate::gatekeeper::operators
