#include "gatekeeper/reference/policy_trace.h"

#include "absl/status/status.h"
#include "common/base/status_macros.h"
#include "common/bytes/reader.h"
#include "common/bytes/writer.h"

namespace bootgate::gatekeeper::reference {
namespace {

constexpr size_t kSmallestText = 4;  // bytes: its length

void Put(bytes::Writer& out, const std::set<std::string>& texts) {
  out.U32Be(static_cast<uint32_t>(texts.size()));
  for (const std::string& text : texts) out.Sized32Be(AsBytes(text));
}

absl::Status Take(bytes::Reader& in, std::set<std::string>* texts) {
  BG_ASSIGN_OR_RETURN(const uint32_t count, in.U32Be());
  if (count > in.remaining() / kSmallestText)
    return absl::InvalidArgumentError("more texts than bytes");
  for (uint32_t i = 0; i < count; ++i) {
    BG_ASSIGN_OR_RETURN(const uint32_t size, in.U32Be());
    BG_ASSIGN_OR_RETURN(const ByteView text, in.Take(size));
    texts->emplace(AsText(text));
  }
  return absl::OkStatus();
}

}  // namespace

Bytes Encode(const PolicyTrace& trace) {
  bytes::Writer out;
  Put(out, trace.buffers);
  Put(out, trace.policy_files);
  return out.Finish();
}

std::optional<PolicyTrace> DecodePolicyTrace(ByteView encoded) {
  bytes::Reader in(encoded);
  PolicyTrace trace;
  if (!Take(in, &trace.buffers).ok() || !Take(in, &trace.policy_files).ok() || !in.empty())
    return std::nullopt;
  return trace;
}

}  // namespace bootgate::gatekeeper::reference
