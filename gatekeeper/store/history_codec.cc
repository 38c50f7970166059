#include "gatekeeper/store/history_codec.h"

#include "common/base/status_macros.h"
#include "gatekeeper/store/record_fields.h"

namespace bootgate::gatekeeper::store {
namespace {

using bytes::Reader;
using bytes::Writer;
using record::PutFlag;
using record::PutText;
using record::PutTime;
using record::TakeFlag;
using record::TakeText;
using record::TakeTime;

void PutLine(Writer& out, const std::optional<host::TpmLine>& line) {
  PutFlag(out, line.has_value());
  if (!line.has_value()) return;
  PutBootMark(out, line->boot);
  PutText(out, line->kernel_boot_id);
  PutTime(out, line->seen_at);
}

absl::StatusOr<std::optional<host::TpmLine>> TakeLine(Reader& in) {
  BG_ASSIGN_OR_RETURN(const bool present, TakeFlag(in));
  if (!present) return std::nullopt;
  host::TpmLine line;
  BG_ASSIGN_OR_RETURN(line.boot, TakeBootMark(in));
  BG_ASSIGN_OR_RETURN(line.kernel_boot_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(line.seen_at, TakeTime(in));
  return line;
}

}  // namespace

void PutBootMark(Writer& out, const host::BootMark& boot) {
  out.U32Be(boot.reset_count).U32Be(boot.restart_count).U64Be(boot.clock_ms);
}

absl::StatusOr<host::BootMark> TakeBootMark(Reader& in) {
  host::BootMark boot;
  BG_ASSIGN_OR_RETURN(boot.reset_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(boot.restart_count, in.U32Be());
  BG_ASSIGN_OR_RETURN(boot.clock_ms, in.U64Be());
  return boot;
}

void PutTpmHistory(Writer& out, const host::TpmHistory& history) {
  PutFlag(out, history.clock_safe);
  PutText(out, history.kernel_boot_id);
  PutText(out, history.earlier_boot_id);
  PutLine(out, history.second_line);
  PutFlag(out, history.moved_since_second_line);
  PutFlag(out, history.clone_suspected);
  PutFlag(out, history.clear_accepted_until.has_value());
  if (history.clear_accepted_until.has_value()) PutTime(out, *history.clear_accepted_until);
}

absl::StatusOr<host::TpmHistory> TakeTpmHistory(Reader& in) {
  host::TpmHistory history;
  BG_ASSIGN_OR_RETURN(history.clock_safe, TakeFlag(in));
  BG_ASSIGN_OR_RETURN(history.kernel_boot_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(history.earlier_boot_id, TakeText(in));
  BG_ASSIGN_OR_RETURN(history.second_line, TakeLine(in));
  BG_ASSIGN_OR_RETURN(history.moved_since_second_line, TakeFlag(in));
  BG_ASSIGN_OR_RETURN(history.clone_suspected, TakeFlag(in));
  BG_ASSIGN_OR_RETURN(const bool clear_accepted, TakeFlag(in));
  if (clear_accepted) {
    BG_ASSIGN_OR_RETURN(history.clear_accepted_until, TakeTime(in));
  }
  return history;
}

}  // namespace bootgate::gatekeeper::store
