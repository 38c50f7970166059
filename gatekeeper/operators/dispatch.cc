#include "gatekeeper/operators/dispatch.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "gatekeeper/operators/messages.h"
#include "gatekeeper/operators/request_check.h"

namespace bootgate::gatekeeper::operators {
namespace {

using google::protobuf::MethodDescriptor;

std::string PathOf(const MethodDescriptor& method) {
  return absl::StrCat("/", method.service()->full_name(), "/", method.name());
}

std::map<std::string, Method, std::less<>> AllHandlers() {
  std::map<std::string, Method, std::less<>> out;
  for (const auto family : {HostMethods(), VerdictMethods(), QuarantineMethods(), AdminMethods(),
                            CaMethods(), CredentialMethods(), AuditMethods(), PolicyMethods(),
                            IncidentMethods(), WaiverMethods(), BrakeMethods()}) {
    for (const Method& method : family) out.emplace(std::string(method.name), method);
  }
  return out;
}

bool HasRow(absl::string_view name) {
  return std::ranges::any_of(AuthzTable(), [&](const AuthzRow& row) { return row.method == name; });
}

// Large documents come with these alone.
bool TakesDocument(absl::string_view name) {
  return absl::EndsWith(name, ".PushPolicy") || absl::EndsWith(name, ".PutReference");
}

// Twice is more than once; all others find what is done done, or refuse to do it again.
bool AddsUp(absl::string_view name) {
  return absl::EndsWith(name, ".AcceptClear") || absl::EndsWith(name, ".AddWaiver") ||
         absl::EndsWith(name, ".NoteIncident") || absl::EndsWith(name, ".ResolveIncident") ||
         absl::EndsWith(name, ".RollBackPolicy") || absl::EndsWith(name, ".RotateCa");
}

absl::Status Unknown(absl::string_view path) {
  return absl::UnimplementedError(absl::StrCat("there is no ", Printable(path, 128), " here"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Dispatcher>> Dispatcher::Make(Backend& backend, WatchHub& hub) {
  std::unique_ptr<Dispatcher> out(new Dispatcher(backend, hub));
  const auto handlers = AllHandlers();
  std::vector<std::string> wrong;
  std::set<std::string, std::less<>> known;
  for (const MethodDescriptor* descriptor : OperatorsMethods()) {
    const std::string name = descriptor->full_name();
    known.insert(name);
    if (!HasRow(name)) wrong.push_back(absl::StrCat(name, " has no row in the authz table"));
    const auto handler = handlers.find(name);
    // A method without a handler is held to role and grammar like any other, and not implemented.
    const Method method = handler == handlers.end() ? Method{} : handler->second;
    const bool is_stream = method.opener != nullptr;
    if (handler != handlers.end() && is_stream != descriptor->server_streaming())
      wrong.push_back(absl::StrCat(name, " has a handler of the other kind"));
    out->entries_[PathOf(*descriptor)] = Entry{descriptor, name, method};
  }
  for (const AuthzRow& row : AuthzTable())
    if (!known.contains(row.method)) wrong.push_back(absl::StrCat(row.method, " is no method"));
  for (const auto& [name, method] : handlers)
    if (!known.contains(name)) wrong.push_back(absl::StrCat(name, " is no method"));
  if (!wrong.empty())
    return Refuse(absl::StatusCode::kInternal, Reason::kInternal, absl::StrJoin(wrong, "; "));
  return out;
}

const Dispatcher::Entry* Dispatcher::Find(absl::string_view path) const {
  const auto entry = entries_.find(path);
  return entry == entries_.end() ? nullptr : &entry->second;
}

absl::Status Dispatcher::MayCall(absl::string_view path, const Caller& caller) const {
  const Entry* const entry = Find(path);
  return entry == nullptr ? Unknown(path) : CheckRoles(entry->name, caller.roles);
}

bool Dispatcher::IsStream(absl::string_view path) const {
  const Entry* const entry = Find(path);
  return entry != nullptr && entry->descriptor->server_streaming();
}

absl::StatusOr<std::unique_ptr<Message>> Dispatcher::Decode(const Entry& entry,
                                                            absl::string_view bytes) const {
  const size_t limit = TakesDocument(entry.name) ? kMaxDocumentBytes : kMaxRequestBytes;
  if (bytes.size() > limit) {
    return Malformed(Reason::kMessageTooLarge,
                     absl::StrCat("a request of ", bytes.size(), " bytes; at most ", limit));
  }
  std::unique_ptr<Message> request = NewRequest(*entry.descriptor);
  if (!request->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return Malformed(Reason::kMessageMalformed,
                     absl::StrCat("no ", entry.descriptor->input_type()->name()));
  }
  BG_RETURN_IF_ERROR(CheckRequest(*request));
  return request;
}

absl::StatusOr<std::string> Dispatcher::Answer(absl::string_view path, const Caller& caller,
                                               absl::string_view bytes) {
  const Entry* const entry = Find(path);
  if (entry == nullptr) return Unknown(path);
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<Message> request, Decode(*entry, bytes));
  if (entry->method.handler == nullptr) return Unknown(path);
  const Call call{caller, backend_, hub_, entry->name};
  const auto work = [&]() -> absl::StatusOr<std::string> {
    const std::unique_ptr<Message> answer = NewAnswer(*entry->descriptor);
    BG_RETURN_IF_ERROR(entry->method.handler(call, *request, answer.get()));
    BG_RETURN_IF_ERROR(TrimAnswer(*request, answer.get()));
    return Serialized(*answer);
  };
  const std::string key = TextField(*request, "idempotency_key");
  if (key.empty() || FlagField(*request, "dry_run")) return work();
  return answers_.Once({caller.actor, key, DigestOf(entry->name, *request), AddsUp(entry->name)},
                       backend_.clock.Now(), work);
}

absl::StatusOr<std::unique_ptr<Source>> Dispatcher::Open(absl::string_view path,
                                                         const Caller& caller,
                                                         absl::string_view bytes) {
  const Entry* const entry = Find(path);
  if (entry == nullptr) return Unknown(path);
  BG_ASSIGN_OR_RETURN(const std::unique_ptr<Message> request, Decode(*entry, bytes));
  if (entry->method.opener == nullptr) return Unknown(path);
  return entry->method.opener(Call{caller, backend_, hub_, entry->name}, *request);
}

}  // namespace bootgate::gatekeeper::operators
