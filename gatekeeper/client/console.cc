#include "gatekeeper/client/console.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "bootgate/v1/fleet.pb.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kPageSize = 1000;   // the most that the gatekeeper gives at once
constexpr size_t kAtOnce = 500;   // hosts in one call
constexpr size_t kKeyBytes = 16;  // of an idempotency key
constexpr int kTries = 3;         // of a change whose answer did not come, of a list that moves
constexpr absl::Duration kWaitForAnswer = absl::Seconds(20), kLookAgain = absl::Milliseconds(500);

const FieldDescriptor& Field(const Message& message, const std::string& name) {
  return *message.GetDescriptor()->FindFieldByName(name);
}

std::string TextIn(const Message& message, const std::string& name) {
  return message.GetReflection()->GetString(message, &Field(message, name));
}

void SetText(Message& message, const std::string& name, const std::string& text) {
  message.GetReflection()->SetString(&message, &Field(message, name), text);
}

// Nobody told whether it was done; who is not who they should be is not asked again.
bool AnswerWasLost(const absl::Status& status) {
  return absl::IsUnavailable(status) && !ReasonOf(status).has_value();
}

// By the gatekeeper to which the call came first, or so it seems.
bool IsBeingAnswered(const absl::Status& status) {
  return absl::IsAborted(status) && ReasonOf(status) == Reason::kIdempotencyKey;
}

absl::StatusOr<std::vector<std::string>> HostsOf(Api& api, const Targets& targets) {
  if (!targets.hosts.empty() && !targets.selector.empty()) {
    return absl::InvalidArgumentError("name hosts or give a --selector, not both");
  }
  if (!targets.hosts.empty()) return targets.hosts;
  if (targets.selector.empty()) {
    return absl::InvalidArgumentError("name a HOST, or all that bear labels with --selector");
  }
  v1::ListHostsRequest request;
  v1::ListHostsResponse all;
  request.mutable_filter()->set_selector(targets.selector);
  request.mutable_fields()->add_paths("id");
  BG_RETURN_IF_ERROR(ListAll(api, "HostService/ListHosts", request, all, "hosts"));
  std::vector<std::string> ids;
  for (const v1::Host& host : all.hosts()) ids.push_back(host.id());
  return ids;
}

// The results of all calls, one after the other.
using Results = google::protobuf::RepeatedPtrField<v1::HostResult>;

absl::Status ChangeSome(Api& api, absl::string_view method, Message& request,
                        const std::vector<std::string>& ids, Results* results) {
  const FieldDescriptor& hosts = Field(request, "host_ids");
  const google::protobuf::Reflection& in = *request.GetReflection();
  in.ClearField(&request, &hosts);
  for (const std::string& id : ids) in.AddString(&request, &hosts, id);
  // All answers of these calls begin with the same field.
  v1::SetLabelsResponse answer;
  BG_RETURN_IF_ERROR(Change(api, method, request, answer));
  results->MergeFrom(answer.results());
  return absl::OkStatus();
}

std::string ResultText(const v1::HostResult& result, const std::string& done, bool dry_run) {
  if (result.has_error()) {
    return absl::StrCat(result.error().reason().empty() ? "" : result.error().reason() + ": ",
                        result.error().message());
  }
  if (!result.changed()) return absl::StrCat("is ", done, " already");
  return absl::StrCat(dry_run ? "would be " : "", done);
}

ExitCode Print(const Console& console, const Results& results, const std::string& done,
               bool dry_run) {
  size_t failed = 0;
  std::vector<std::vector<std::string>> rows;
  v1::SetLabelsResponse json;
  for (const v1::HostResult& result : results) {
    if (result.has_error()) ++failed;
    rows.push_back({result.host_id(), Word(*v1::TrustState_descriptor(), result.trust()),
                    ResultText(result, done, dry_run)});
    *json.add_results() = result;
  }
  if (console.format == cli::OutputFormat::kJson) {
    console.out << JsonList(json, "results");
  } else if (rows.size() == 1 && failed == 0) {
    console.out << rows[0][0] << " " << rows[0][2] << "\n";
  } else {
    console.out << cli::FormatTable({"HOST", dry_run ? "STATE THEN" : "STATE", "RESULT"}, rows);
  }
  if (failed == 0) return ExitCode::kSuccess;
  console.err << "error: " << failed << " of " << results.size() << " hosts could not be "
              << (dry_run ? "tried" : done) << "\n";
  return ExitCode::kPartial;
}

}  // namespace

ExitCode Fail(const Console& console, const absl::Status& status) {
  const ExitCode code = cli::Fail(console.err, status);
  return AnswerWasLost(status) ? ExitCode::kUnreachable : code;
}

absl::Status ListAll(Api& api, absl::string_view method, Message& request, Message& answer,
                     const std::string& rows, int limit) {
  const google::protobuf::Reflection& in = *request.GetReflection();
  in.SetInt32(&request, &Field(request, "page_size"),
              limit > 0 ? std::min(limit, kPageSize) : kPageSize);
  answer.Clear();
  const std::unique_ptr<Message> page(answer.New());
  for (int begun = 1;;) {
    page->Clear();
    const absl::Status status = api.Call(method, request, *page);
    // What the last page ended with has gone meanwhile.
    if (ReasonOf(status) == Reason::kPageToken && begun < kTries) {
      ++begun;
      answer.Clear();
      SetText(request, "page_token", "");
      continue;
    }
    BG_RETURN_IF_ERROR(status);
    const std::string next = TextIn(*page, "next_page_token");
    SetText(*page, "next_page_token", "");
    answer.MergeFrom(*page);
    const int so_far = answer.GetReflection()->FieldSize(answer, &Field(answer, rows));
    if (next.empty() || (limit > 0 && so_far >= limit)) return absl::OkStatus();
    SetText(request, "page_token", next);
  }
}

absl::Status Change(Api& api, absl::string_view method, Message& request, Message& answer) {
  SetText(request, "idempotency_key", crypto::RandomHex(kKeyBytes));
  absl::Status status;
  bool was_lost = false;
  const absl::Time until = absl::Now() + kWaitForAnswer;
  for (int i = 0; i < kTries;) {
    status = api.Call(method, request, answer);
    if (was_lost && IsBeingAnswered(status) && absl::Now() < until) {
      absl::SleepFor(kLookAgain);
      continue;
    }
    if (!AnswerWasLost(status)) break;
    was_lost = true;
    ++i;
  }
  if (!was_lost || !IsBeingAnswered(status)) return status;
  return Refuse(absl::StatusCode::kAborted, Reason::kIdempotencyKey,
                "the gatekeeper's answer was lost, and perhaps it stopped before it was done: look "
                "whether it was before you do it again");
}

ExitCode ChangeHosts(const Console& console, absl::string_view method, Message& request,
                     const Targets& targets, const std::string& done) {
  const absl::StatusOr<std::vector<std::string>> ids = HostsOf(console.api, targets);
  if (!ids.ok()) return Fail(console, ids.status());
  if (ids->empty()) {
    console.err << "no host bears " << targets.selector << "\n";
    return ExitCode::kNotFound;
  }
  request.GetReflection()->SetBool(&request, &Field(request, "dry_run"), targets.dry_run);
  Results results;
  absl::Status status;
  for (size_t i = 0; i < ids->size() && status.ok(); i += kAtOnce) {
    const auto first = ids->begin() + static_cast<ptrdiff_t>(i);
    const auto last = ids->begin() + static_cast<ptrdiff_t>(std::min(ids->size(), i + kAtOnce));
    status = ChangeSome(console.api, method, request, {first, last}, &results);
  }
  // What was done before the rest failed is told all the same.
  ExitCode code = ExitCode::kSuccess;
  if (!results.empty()) code = Print(console, results, done, targets.dry_run);
  if (status.ok()) return code;
  const ExitCode failed = Fail(console, status);
  return results.empty() ? failed : ExitCode::kPartial;
}

}  // namespace bootgate::gatekeeper::client
