#include "gatekeeper/client/quarantine_watch.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bootgate/v1/quarantine.pb.h"
#include "common/base/hex.h"
#include "common/base/reason.h"
#include "gatekeeper/client/words.h"

namespace bootgate::gatekeeper::client {
namespace {

std::string TrustText(v1::TrustState trust) { return Word(*v1::TrustState_descriptor(), trust); }

std::string HostText(const v1::QuarantineEntry& entry) {
  return entry.hostname().empty() ? entry.host_id()
                                  : absl::StrCat(entry.host_id(), " (", entry.hostname(), ")");
}

void PrintLine(const v1::QuarantineEntry& entry, const std::string& at, const std::string& what,
               const std::string& why, std::ostream& out) {
  out << at << "  " << Printable(HostText(entry)) << "  " << what
      << (why.empty() ? "" : ": " + Printable(why, 1024)) << "\n";
}

void Print(const v1::WatchQuarantineResponse& message, std::ostream& out) {
  if (message.has_snapshot()) {
    for (const v1::QuarantineEntry& entry : message.snapshot().entries()) {
      PrintLine(entry, TimeText(entry.since()), TrustText(entry.trust()), entry.why(), out);
    }
    if (message.snapshot().snapshot_complete()) out << "-- from now on --\n";
  } else if (message.has_change()) {
    const v1::QuarantineChange& change = message.change();
    PrintLine(change.entry(), TimeText(change.at()),
              absl::StrCat(TrustText(change.before()), " -> ", TrustText(change.after())),
              change.why(), out);
  }
}

// What is worth another attempt: nobody there, or there no more.
bool IsPassing(const absl::Status& status) {
  if (ReasonOf(status) == Reason::kServerAuth) return false;
  return status.ok() || absl::IsUnavailable(status) || absl::IsAborted(status) ||
         absl::IsResourceExhausted(status) || absl::IsDeadlineExceeded(status);
}

// Ends the stream on purpose.
absl::Status Enough() { return absl::CancelledError("enough"); }

}  // namespace

ExitCode QuarantineWatch(const Console& console, const QuarantineWatchOptions& options) {
  v1::WatchQuarantineRequest request;
  request.set_selector(options.selector);
  request.set_heartbeat_seconds(options.heartbeat_seconds);
  request.set_resume_token(options.token);
  bool complete = false;
  for (;;) {
    v1::WatchQuarantineResponse message;
    const absl::Status status =
        console.api.Stream("QuarantineService/WatchQuarantine", request, message, [&] {
          if (!message.resume_token().empty()) request.set_resume_token(message.resume_token());
          if (console.format == cli::OutputFormat::kJson) {
            console.out << JsonLine(message);
          } else {
            Print(message, console.out);
          }
          console.out.flush();
          complete = message.has_snapshot() && message.snapshot().snapshot_complete();
          const bool gone = !console.out.good();  // nobody reads any more
          return gone || (options.once && complete) ? Enough() : absl::OkStatus();
        });
    if (absl::IsCancelled(status) && status.message() == "enough") return ExitCode::kSuccess;
    if (ReasonOf(status) == Reason::kWatchToken && !request.resume_token().empty()) {
      console.err << "the place of the watch is lost; a new snapshot follows\n";
      request.clear_resume_token();
      continue;
    }
    if (!options.reconnect || !IsPassing(status)) return Fail(console, status);
    console.err << "the connection ended (" << status.message() << "); going on from there\n";
    absl::SleepFor(options.patience);
  }
}

}  // namespace bootgate::gatekeeper::client
