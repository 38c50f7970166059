#include "gatekeeper/cli/webhooks.h"

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/hex.h"
#include "common/base/status_macros.h"
#include "gatekeeper/webhook/dead_letters.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using webhook::Attempt;
using webhook::DeadLetter;
using webhook::Endpoint;

constexpr size_t kMaxReason = 500;  // bytes

std::string Dump(const ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

// One line of `webhook list`.
struct Line {
  std::string name;
  const Endpoint* endpoint = nullptr;  // nullptr: not configured any more
  std::optional<store::ConsumerRow> place;
  int64_t behind = 0, dead = 0;
};

absl::StatusOr<std::vector<Line>> Lines(const Operator& op, const Webhooks& hooks) {
  BG_ASSIGN_OR_RETURN(const auto places, op.store.ListConsumers());
  BG_ASSIGN_OR_RETURN(const int64_t newest, op.store.LastChange());
  BG_ASSIGN_OR_RETURN(const auto dead, webhook::ListDeadLetters(op.store, ""));
  std::vector<Line> lines;
  for (const Endpoint& endpoint : hooks.endpoints) {
    lines.push_back({.name = endpoint.name, .endpoint = &endpoint, .place = std::nullopt});
  }
  for (const store::ConsumerRow& place : places) {
    const std::string name = webhook::EndpointOf(place.name);
    if (name.empty()) continue;
    auto line = std::ranges::find(lines, name, &Line::name);
    if (line == lines.end()) {
      lines.push_back({.name = name, .place = std::nullopt});
      line = lines.end() - 1;
    }
    line->place = place;
    line->behind = std::max<int64_t>(0, newest - place.told);
  }
  for (Line& line : lines) line.dead = std::ranges::count(dead, line.name, &DeadLetter::endpoint);
  return lines;
}

std::string StateOf(const Line& line) {
  if (line.endpoint == nullptr) return "not configured";
  if (!line.place.has_value()) return "not begun";
  if (line.place->attempts > 0) return absl::StrCat("failing (", line.place->attempts, " tries)");
  return line.behind > 0 ? "behind" : "told";
}

ordered_json ToJson(const Line& line) {
  ordered_json out = {{"name", line.name},
                      {"state", StateOf(line)},
                      {"url", line.endpoint == nullptr ? "" : line.endpoint->url},
                      {"kinds", ordered_json::array()},
                      {"told", line.place.has_value() ? line.place->told : 0},
                      {"behind", line.behind},
                      {"attempts", line.place.has_value() ? line.place->attempts : 0},
                      {"error", line.place.has_value() ? line.place->last_error : ""},
                      {"dead_letters", line.dead}};
  if (line.endpoint != nullptr) out["kinds"] = line.endpoint->kinds;
  return out;
}

std::string KindsText(const Endpoint& endpoint) {
  return endpoint.kinds.empty() ? "all" : absl::StrJoin(endpoint.kinds, ",");
}

absl::StatusOr<const Endpoint*> FindEndpoint(const Webhooks& hooks, const std::string& name) {
  const auto found = std::ranges::find(hooks.endpoints, name, &Endpoint::name);
  if (found != hooks.endpoints.end()) return &*found;
  return absl::NotFoundError(absl::StrCat("no webhook '", Printable(name, webhook::kMaxName),
                                          "' is configured (see `webhook list`)"));
}

ordered_json ToJson(const DeadLetter& letter) {
  ordered_json out = {{"number", letter.row.sequence},   {"webhook", letter.endpoint},
                      {"change", letter.row.change},     {"given_up_at", FormatUtc(letter.row.at)},
                      {"attempts", letter.row.attempts}, {"error", letter.row.error}};
  if (!letter.change.has_value()) return out;
  out["kind"] = letter.change->kind;
  out["at"] = FormatUtc(letter.change->at);
  out["host"] = letter.change->host_id;
  out["before"] = letter.change->before;
  out["after"] = letter.change->after;
  out["incident"] = letter.change->incident_id;
  return out;
}

absl::StatusOr<std::vector<int64_t>> Chosen(const Operator& op, const DeadLetterChoice& choice) {
  if (choice.number.has_value() == choice.all) {
    return absl::InvalidArgumentError("name a NUMBER (see `webhook dead list`), or --all");
  }
  if (choice.number.has_value() && !choice.endpoint.empty()) {
    return absl::InvalidArgumentError("--webhook goes with --all");
  }
  std::vector<int64_t> out;
  if (choice.number.has_value()) return std::vector<int64_t>{*choice.number};
  BG_ASSIGN_OR_RETURN(const auto letters, webhook::ListDeadLetters(op.store, choice.endpoint));
  for (const DeadLetter& letter : letters) out.push_back(letter.row.sequence);
  return out;
}

// What was done with one of them: "delivered", "dropped", or why not.
struct Result {
  int64_t number = 0;
  std::string state;
  absl::Status status;
  bool unreachable = false;
};

ExitCode ShowResults(const Operator& op, const DeadLetterChoice& choice,
                     const std::vector<Result>& results) {
  const auto fine = [](const Result& result) { return result.status.ok(); };
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const Result& result : results) {
      out.push_back({{"number", result.number},
                     {"state", result.status.ok() ? result.state : "failed"},
                     {"error", std::string(result.status.message())}});
    }
    op.out << Dump(out);
  } else {
    if (results.empty()) op.out << "no dead letters\n";
    for (const Result& result : results) {
      if (fine(result)) op.out << "dead letter " << result.number << " " << result.state << "\n";
    }
  }
  if (choice.number.has_value() && !fine(results[0])) {
    const ExitCode code = Fail(op.err, results[0].status);
    return results[0].unreachable ? ExitCode::kUnreachable : code;
  }
  for (const Result& result : results) {
    if (!fine(result)) {
      op.err << "dead letter " << result.number << ": " << result.status.message() << "\n";
    }
  }
  return std::ranges::all_of(results, fine) ? ExitCode::kSuccess : ExitCode::kPartial;
}

ExitCode ForEach(const Operator& op, const DeadLetterChoice& choice,
                 const std::function<Result(int64_t)>& act) {
  const absl::StatusOr<std::vector<int64_t>> numbers = Chosen(op, choice);
  if (!numbers.ok()) return Fail(op.err, numbers.status());
  std::vector<Result> results;
  for (const int64_t number : *numbers) {
    Result result = act(number);
    result.number = number;
    results.push_back(std::move(result));
  }
  return ShowResults(op, choice, results);
}

Result ResultOf(const absl::StatusOr<Attempt>& attempt) {
  Result result = {.state = "delivered", .status = attempt.status()};
  if (attempt.ok() && attempt->outcome != webhook::Outcome::kDone) {
    result.status = absl::UnavailableError(absl::StrCat("not taken: ", attempt->error));
    result.unreachable = true;
  }
  return result;
}

}  // namespace

ExitCode WebhookList(const Operator& op, const Webhooks& hooks) {
  const absl::StatusOr<std::vector<Line>> lines = Lines(op, hooks);
  if (!lines.ok()) return Fail(op.err, lines.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const Line& line : *lines) out.push_back(ToJson(line));
    op.out << Dump(out);
    return ExitCode::kSuccess;
  }
  if (lines->empty()) {
    op.out << "no webhooks: [[webhook]] in the configuration adds one\n";
    return ExitCode::kSuccess;
  }
  std::vector<std::vector<std::string>> cells;
  for (const Line& line : *lines) {
    cells.push_back({line.name, StateOf(line), absl::StrCat(line.behind), absl::StrCat(line.dead),
                     line.endpoint == nullptr ? "-" : KindsText(*line.endpoint),
                     line.endpoint == nullptr ? "-" : line.endpoint->url,
                     OrDash(line.place.has_value() ? line.place->last_error : "")});
  }
  op.out << FormatTable({"NAME", "STATE", "BEHIND", "DEAD", "KINDS", "URL", "LAST ERROR"}, cells);
  return ExitCode::kSuccess;
}

ExitCode WebhookTest(const Operator& op, const Webhooks& hooks, const std::string& name) {
  const absl::StatusOr<const Endpoint*> endpoint = FindEndpoint(hooks, name);
  if (!endpoint.ok()) return Fail(op.err, endpoint.status());
  webhook::HttpClient client;
  const Attempt attempt = webhook::SendTest(client, **endpoint, hooks.cluster, op.clock.Now());
  const bool taken = attempt.outcome == webhook::Outcome::kDone;
  if (op.format == OutputFormat::kJson) {
    op.out << Dump(
        {{"name", name}, {"taken", taken}, {"status", attempt.status}, {"error", attempt.error}});
  } else if (taken) {
    op.out << name << " took the test: HTTP " << attempt.status << "\n";
  }
  if (taken) return ExitCode::kSuccess;
  op.err << "error: " << name << " did not take the test: " << attempt.error << "\n";
  return ExitCode::kUnreachable;
}

ExitCode WebhookDeadList(const Operator& op, const std::string& endpoint) {
  const auto letters = webhook::ListDeadLetters(op.store, endpoint);
  if (!letters.ok()) return Fail(op.err, letters.status());
  if (op.format == OutputFormat::kJson) {
    ordered_json out = ordered_json::array();
    for (const DeadLetter& letter : *letters) out.push_back(ToJson(letter));
    op.out << Dump(out);
    return ExitCode::kSuccess;
  }
  if (letters->empty()) {
    op.out << "no dead letters: nothing was given up\n";
    return ExitCode::kSuccess;
  }
  std::vector<std::vector<std::string>> cells;
  for (const DeadLetter& letter : *letters) {
    const store::ChangeRow change = letter.change.value_or(store::ChangeRow{});
    cells.push_back({absl::StrCat(letter.row.sequence), letter.endpoint,
                     absl::StrCat(letter.row.change), OrDash(change.kind), OrDash(change.host_id),
                     OrDash(change.after), FormatUtc(letter.row.at),
                     absl::StrCat(letter.row.attempts), letter.row.error});
  }
  op.out << FormatTable(
      {"NUMBER", "WEBHOOK", "CHANGE", "KIND", "HOST", "AFTER", "GIVEN UP", "TRIES", "ERROR"},
      cells);
  return ExitCode::kSuccess;
}

ExitCode WebhookDeadRetry(const Operator& op, const Webhooks& hooks,
                          const DeadLetterChoice& choice) {
  webhook::HttpClient client;
  return ForEach(op, choice, [&](int64_t number) {
    return ResultOf(webhook::RetryDeadLetter(op.store, client, hooks.endpoints, hooks.cluster,
                                             number, {.actor = op.actor, .now = op.clock.Now()}));
  });
}

ExitCode WebhookDeadDrop(const Operator& op, const DeadLetterChoice& choice,
                         const std::string& reason) {
  if (reason.empty() || reason.size() > kMaxReason) {
    return Fail(op.err, absl::InvalidArgumentError(
                            absl::StrCat("--reason needs 1 to ", kMaxReason, " characters")));
  }
  return ForEach(op, choice, [&](int64_t number) {
    const webhook::By by = {.actor = op.actor, .now = op.clock.Now()};
    return Result{.state = "dropped",
                  .status = webhook::DropDeadLetter(op.store, number, reason, by)};
  });
}

}  // namespace bootgate::gatekeeper::cli
