#include "gatekeeper/audit/trail_text.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/json_text.h"
#include "common/base/status_macros.h"
#include "gatekeeper/store/audit_chain.h"

namespace bootgate::gatekeeper::audit {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;
constexpr int kPageRows = 500;
constexpr size_t kMaxKept = 20'000'000;  // rows and checkpoints that are held against a trail

std::string Line(const store::AuditRow& row) {
  return absl::StrCat(
      "{\"kind\":\"row\",\"number\":", row.sequence, ",\"at\":", JsonString(ExactTime(row.at)),
      ",\"actor\":", JsonString(row.actor), ",\"action\":", JsonString(row.action),
      ",\"subject\":", JsonString(row.subject), ",\"detail_json\":", JsonString(row.detail_json),
      ",\"chain\":", JsonString(ToHex(row.chain)), "}\n");
}

std::string Line(const store::CheckpointRow& row) {
  return absl::StrCat("{\"kind\":\"checkpoint\",\"number\":", row.sequence,
                      ",\"at\":", JsonString(ExactTime(row.at)),
                      ",\"chain\":", JsonString(ToHex(row.chain)),
                      ",\"key_id\":", JsonString(row.key_id),
                      ",\"signature\":", JsonString(ToBase64(row.signature)), "}\n");
}

absl::Status BadLine(int64_t line, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("line ", line, ": ", what));
}

// The members of one line, each read with its type.
class Members {
 public:
  explicit Members(const json& object) : object_(object) {}

  std::string Text(const char* name) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_string()) return found->get<std::string>();
    return Miss<std::string>(name);
  }
  // Also as text: the log has no numbers.
  int64_t Number(const char* name) {
    const auto found = object_.find(name);
    int64_t value = 0;
    if (found != object_.end() && found->is_number_integer()) return found->get<int64_t>();
    if (found != object_.end() && found->is_string() &&
        absl::SimpleAtoi(found->get<std::string>(), &value)) {
      return value;
    }
    return Miss<int64_t>(name);
  }
  Bytes Hex(const char* name) {
    const absl::StatusOr<Bytes> bytes = FromHex(Text(name));
    return bytes.ok() ? *bytes : Miss<Bytes>(name);
  }
  Bytes Base64(const char* name) {
    const absl::StatusOr<Bytes> bytes = FromStrictBase64(Text(name));
    return bytes.ok() ? *bytes : Miss<Bytes>(name);
  }
  absl::Time Time(const char* name) {
    absl::Time time;
    std::string error;
    return absl::ParseTime(absl::RFC3339_full, Text(name), &time, &error) ? time
                                                                          : Miss<absl::Time>(name);
  }
  const std::string& missing() const { return missing_; }

 private:
  template <typename T>
  T Miss(const char* name) {
    if (missing_.empty()) missing_ = name;
    return T();
  }

  const json& object_;
  std::string missing_;
};

store::AuditRow RowOf(Members& members) {
  return {.sequence = members.Number("number"),
          .at = members.Time("at"),
          .actor = members.Text("actor"),
          .action = members.Text("action"),
          .subject = members.Text("subject"),
          .detail_json = members.Text("detail_json"),
          .chain = members.Hex("chain")};
}

store::CheckpointRow CheckpointOf(Members& members) {
  return {.sequence = members.Number("number"),
          .at = members.Time("at"),
          .chain = members.Hex("chain"),
          .key_id = members.Text("key_id"),
          .signature = members.Base64("signature")};
}

// "trail", "row", "checkpoint", "end"; empty: a line of something else.
std::string KindOf(const json& object) {
  if (!object.is_object()) return "";
  const auto text = [&](const char* name) {
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
  };
  if (const std::string kind = text("kind"); !kind.empty()) return kind;
  return text("message") == kCheckpointMessage ? "checkpoint" : "";
}

json Parsed(const std::string& line) {
  return json::parse(line, nullptr, /*allow_exceptions=*/false);
}

// The next line that is not empty. A line that is too long ends the reading.
absl::StatusOr<bool> NextLine(std::istream& in, std::string* line, int64_t* number) {
  while (std::getline(in, *line)) {
    ++*number;
    if (line->size() > kMaxLineBytes) return BadLine(*number, "too long");
    if (!line->empty()) return true;
  }
  return false;
}

}  // namespace

std::string ExactTime(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<TrailExport> TrailExport::Open(store::Store& store, int64_t after) {
  BG_ASSIGN_OR_RETURN(store::AuditHead head, store.GetAuditHead());
  if (after < 0 || after > head.sequence) {
    return absl::NotFoundError(
        absl::StrCat("there is no audit row ", after, "; the last one is ", head.sequence));
  }
  store::AuditHead start = {.sequence = after, .chain = store::ChainStart()};
  if (after > 0) {
    BG_ASSIGN_OR_RETURN(const std::vector<store::AuditRow> rows, store.ListAudit(after - 1, 1));
    if (rows.empty() || rows.front().sequence != after) {
      return absl::NotFoundError(absl::StrCat("audit row ", after, " is missing"));
    }
    start.chain = rows.front().chain;
  }
  TrailExport out(store, std::move(start), std::move(head));
  BG_ASSIGN_OR_RETURN(out.checkpoints_, store.ListCheckpoints());
  return out;
}

absl::StatusOr<std::string> TrailExport::Next(size_t max_bytes) {
  std::string out;
  if (!begun_) {
    begun_ = true;
    out = absl::StrCat("{\"kind\":\"trail\",\"version\":", kVersion, ",\"after\":", start_.sequence,
                       ",\"chain\":", JsonString(ToHex(start_.chain)), "}\n");
    while (next_checkpoint_ < checkpoints_.size() &&
           checkpoints_[next_checkpoint_].sequence <= start_.sequence) {
      ++next_checkpoint_;
    }
  }
  while (!ended_ && out.size() < max_bytes) {
    if (next_row_ == rows_.size()) {
      BG_ASSIGN_OR_RETURN(rows_, store_->ListAudit(last_, kPageRows));
      next_row_ = 0;
    }
    const bool more = next_row_ < rows_.size() && rows_[next_row_].sequence <= head_.sequence;
    const int64_t row = more ? rows_[next_row_].sequence : head_.sequence + 1;
    if (next_checkpoint_ < checkpoints_.size() && checkpoints_[next_checkpoint_].sequence < row) {
      absl::StrAppend(&out, Line(checkpoints_[next_checkpoint_++]));
    } else if (more) {
      absl::StrAppend(&out, Line(rows_[next_row_++]));
      last_ = row;
    } else {
      absl::StrAppend(&out, "{\"kind\":\"end\",\"last\":", head_.sequence, "}\n");
      ended_ = true;
    }
  }
  return out;
}

absl::StatusOr<Verification> VerifyText(std::istream& in, const CheckpointKeys* keys,
                                        const KeptTrail& kept) {
  std::optional<TrailCheck> check;
  std::string line;
  int64_t number = 0;
  bool ended = false;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool more, NextLine(in, &line, &number));
    if (!more) break;
    const json object = Parsed(line);
    const std::string kind = KindOf(object);
    Members members(object);
    if (ended) return BadLine(number, "stands behind the end");
    if (!check.has_value()) {
      if (kind != "trail") return BadLine(number, "this is no exported audit trail");
      if (members.Number("version") != kVersion) return BadLine(number, "of another version");
      check.emplace(
          store::AuditHead{.sequence = members.Number("after"), .chain = members.Hex("chain")},
          keys, kept);
    } else if (kind == "row") {
      const store::AuditRow row = RowOf(members);
      if (members.missing().empty()) check->Row(row);
    } else if (kind == "checkpoint") {
      const store::CheckpointRow row = CheckpointOf(members);
      if (members.missing().empty()) check->Checkpoint(row);
    } else if (kind == "end") {
      ended = true;
      const int64_t last = members.Number("last");
      if (members.missing().empty() && last != check->last().sequence) {
        check->Complain(check->last().sequence + 1,
                        absl::StrCat("the export was made up to row ", last, ", and row ",
                                     check->last().sequence, " is its last"));
      }
    } else {
      return BadLine(number, "is none of an exported audit trail");
    }
    if (!members.missing().empty()) {
      return BadLine(number, absl::StrCat(members.missing(), ": missing or malformed"));
    }
  }
  if (!check.has_value()) return absl::InvalidArgumentError("the exported audit trail is empty");
  if (!ended) {
    check->Complain(check->last().sequence + 1,
                    absl::StrCat("the export breaks off behind row ", check->last().sequence));
  }
  return check->Finish();
}

absl::Status ReadKept(std::istream& in, KeptTrail* kept) {
  std::string line;
  int64_t number = 0;
  bool any = false;
  for (;;) {
    BG_ASSIGN_OR_RETURN(const bool more, NextLine(in, &line, &number));
    if (!more) break;
    const json object = Parsed(line);
    const std::string kind = KindOf(object);
    Members members(object);
    if (kind == "checkpoint") {
      kept->checkpoints.push_back(CheckpointOf(members));
    } else if (kind == "row") {
      kept->chains[members.Number("number")] = members.Hex("chain");
    } else {
      continue;
    }
    any = true;
    if (!members.missing().empty()) {
      return BadLine(number, absl::StrCat(members.missing(), ": missing or malformed"));
    }
    if (kept->checkpoints.size() + kept->chains.size() > kMaxKept) {
      return BadLine(number, "more rows than can be compared at once");
    }
  }
  return any ? absl::OkStatus()
             : absl::InvalidArgumentError("there is no checkpoint and no row of an audit trail");
}

}  // namespace bootgate::gatekeeper::audit
