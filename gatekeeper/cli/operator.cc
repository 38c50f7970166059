#include "gatekeeper/cli/operator.h"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
#include "common/base/reason.h"

namespace bootgate::gatekeeper::cli {

std::string ActorName() {
  constexpr size_t kMaxName = 64;  // bytes
  const char* const sudo_user = std::getenv("SUDO_USER");
  if (geteuid() == 0 && sudo_user != nullptr && *sudo_user != '\0') {
    return audit::OperatorActor(absl::StrCat(Printable(sudo_user, kMaxName), " (root)"));
  }
  const struct passwd* const user = getpwuid(geteuid());
  return audit::OperatorActor(user == nullptr ? absl::StrCat("uid ", geteuid())
                                              : std::string(user->pw_name));
}

ExitCode Fail(std::ostream& err, const absl::Status& status) {
  err << "error: " << status.message() << "\n";
  if (const std::optional<Reason> reason = ReasonOf(status)) {
    err << "       " << Code(*reason) << ": " << Info(*reason).way_out << "\n";
  }
  return ExitCodeFor(status);
}

store::AuditRow AuditOf(const Operator& op, absl::string_view action, absl::string_view subject,
                        const audit::Detail& detail) {
  return audit::MakeRow(op.clock.Now(), op.actor, action, subject, detail);
}

}  // namespace bootgate::gatekeeper::cli
