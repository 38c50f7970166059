#include "gatekeeper/cli/token_keys.h"

#include <nlohmann/json.hpp>

#include "common/base/clock.h"

namespace bootgate::gatekeeper::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string TimeOrEmpty(absl::Time time) {
  return time == absl::InfinitePast() ? "" : FormatUtc(time);
}

Json JsonOf(const token::KeyInfo& key) {
  Json out{{"kid", key.kid},
           {"alg", std::string(jose::Name(key.alg))},
           {"signs", key.signs()},
           {"created_at", FormatUtc(key.created_at)},
           {"certificate_ends_at", FormatUtc(key.not_after)}};
  if (key.retired_at.has_value()) out["retired_at"] = FormatUtc(*key.retired_at);
  if (key.covers_until != absl::InfinitePast()) out["covers_until"] = FormatUtc(key.covers_until);
  return out;
}

absl::Status Audited(const Operator& op, absl::string_view action, const std::string& kid,
                     const audit::Detail& detail) {
  store::Commit commit;
  commit.audit = {AuditOf(op, action, kid, detail)};
  return op.store.Apply(commit);
}

}  // namespace

ExitCode TokenKeyList(const Operator& op, token::KeyRing& keys) {
  const absl::StatusOr<std::vector<token::KeyInfo>> all = keys.Keys();
  if (!all.ok()) return Fail(op.err, all.status());
  Json json = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const token::KeyInfo& key : *all) {
    json.push_back(JsonOf(key));
    rows.push_back({key.kid, std::string(jose::Name(key.alg)), key.signs() ? "signs" : "published",
                    FormatUtc(key.created_at), OrDash(TimeOrEmpty(key.covers_until))});
  }
  if (op.format == OutputFormat::kJson) {
    op.out << json.dump(2) << "\n";
  } else {
    op.out << FormatTable({"KEY", "ALGORITHM", "STATE", "MADE", "TOKENS UNTIL"}, rows);
  }
  return ExitCode::kSuccess;
}

ExitCode TokenKeyRotate(const Operator& op, token::KeyRing& keys) {
  const absl::StatusOr<std::string> kid = keys.Rotate();
  if (!kid.ok()) return Fail(op.err, kid.status());
  const absl::Status audited =
      Audited(op, "token.key.rotate", *kid, audit::Detail().Text("why", "operator"));
  if (!audited.ok()) return Fail(op.err, audited);
  if (op.format == OutputFormat::kJson) {
    op.out << Json{{"kid", *kid}}.dump(2) << "\n";
  } else {
    op.out << "key " << *kid
           << " signs tokens from now on\n"
              "  the one before stays published until its tokens have expired\n";
  }
  return ExitCode::kSuccess;
}

ExitCode TokenKeyRetire(const Operator& op, token::KeyRing& keys, const std::string& kid,
                        token::Retirement how) {
  const bool withdraw = how == token::Retirement::kWithdraw;
  if (const absl::Status retired = keys.Retire(kid, how); !retired.ok()) {
    return Fail(op.err, retired);
  }
  const absl::Status audited =
      Audited(op, "token.key.retire", kid, audit::Detail().Flag("withdrawn", withdraw));
  if (!audited.ok()) return Fail(op.err, audited);
  if (op.format == OutputFormat::kJson) {
    op.out << Json{{"kid", kid}, {"withdrawn", withdraw}}.dump(2) << "\n";
  } else if (withdraw) {
    op.out << "key " << kid
           << " is no longer published: its tokens are worth nothing once verifiers have "
              "fetched the key set anew\n";
  } else {
    op.out << "key " << kid << " signs no more; it stays published until its tokens have expired\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
