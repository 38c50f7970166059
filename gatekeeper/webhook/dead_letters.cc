#include "gatekeeper/webhook/dead_letters.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "gatekeeper/audit/row.h"
#include "gatekeeper/webhook/message.h"

namespace bootgate::gatekeeper::webhook {
namespace {

absl::StatusOr<DeadLetter> WithChange(store::Store& store, store::DeadLetterRow row) {
  DeadLetter out = {.row = std::move(row), .endpoint = {}, .change = std::nullopt};
  out.endpoint = EndpointOf(out.row.consumer);
  BG_ASSIGN_OR_RETURN(std::vector<store::ChangeRow> changes,
                      store.ListChanges(out.row.change - 1, 1));
  if (!changes.empty() && changes[0].sequence == out.row.change) out.change = changes[0];
  return out;
}

absl::StatusOr<DeadLetter> Find(store::Store& store, int64_t sequence) {
  BG_ASSIGN_OR_RETURN(std::vector<store::DeadLetterRow> rows, store.ListDeadLetters());
  for (store::DeadLetterRow& row : rows) {
    if (row.sequence == sequence && !EndpointOf(row.consumer).empty()) {
      return WithChange(store, std::move(row));
    }
  }
  return absl::NotFoundError(
      absl::StrCat("no dead letter ", sequence, " (see `webhook dead list`)"));
}

// Written before the letter goes: when it cannot be, the letter stays.
absl::Status Remove(store::Store& store, const DeadLetter& letter, absl::string_view action,
                    const std::string& why, const By& by) {
  BG_RETURN_IF_ERROR(store.PutAudit(audit::MakeRow(by.now, by.actor, action,
                                                   absl::StrCat("webhook ", letter.endpoint),
                                                   audit::Detail()
                                                       .Number("change", letter.row.change)
                                                       .Number("attempts", letter.row.attempts)
                                                       .Text("error", letter.row.error)
                                                       .Text("why", why))));
  return store.RemoveDeadLetter(letter.row.sequence);
}

}  // namespace

absl::StatusOr<std::vector<DeadLetter>> ListDeadLetters(store::Store& store,
                                                        const std::string& endpoint) {
  BG_ASSIGN_OR_RETURN(std::vector<store::DeadLetterRow> rows, store.ListDeadLetters());
  std::vector<DeadLetter> out;
  for (store::DeadLetterRow& row : rows) {
    const std::string name = EndpointOf(row.consumer);
    if (name.empty() || (!endpoint.empty() && name != endpoint)) continue;
    BG_ASSIGN_OR_RETURN(DeadLetter letter, WithChange(store, std::move(row)));
    out.push_back(std::move(letter));
  }
  return out;
}

absl::StatusOr<Attempt> RetryDeadLetter(store::Store& store, HttpClient& client,
                                        const std::vector<Endpoint>& endpoints,
                                        const std::string& cluster, int64_t sequence,
                                        const By& by) {
  BG_ASSIGN_OR_RETURN(const DeadLetter letter, Find(store, sequence));
  const auto endpoint = std::ranges::find(endpoints, letter.endpoint, &Endpoint::name);
  if (endpoint == endpoints.end()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the webhook '", letter.endpoint, "' is not configured any more; drop its dead letters"));
  }
  if (!letter.change.has_value()) {
    return absl::FailedPreconditionError(
        absl::StrCat("change ", letter.row.change, " is not kept any more; drop the dead letter"));
  }
  BG_ASSIGN_OR_RETURN(const Message message, MessageOf(store, *letter.change, cluster));
  const Attempt attempt = Deliver(client, *endpoint, message, by.now);
  if (attempt.outcome == Outcome::kDone) {
    BG_RETURN_IF_ERROR(Remove(store, letter, "webhook.dead.retry", "", by));
  }
  return attempt;
}

absl::Status DropDeadLetter(store::Store& store, int64_t sequence, const std::string& why,
                            const By& by) {
  BG_ASSIGN_OR_RETURN(const DeadLetter letter, Find(store, sequence));
  return Remove(store, letter, "webhook.dead.drop", why, by);
}

Attempt SendTest(HttpClient& client, const Endpoint& endpoint, const std::string& cluster,
                 absl::Time now) {
  Message message;
  message.cluster = cluster;
  message.change.at = now;
  message.change.kind = "test";
  message.change.why = "a test that an operator asked for";
  return Deliver(client, endpoint, message, now);
}

}  // namespace bootgate::gatekeeper::webhook
