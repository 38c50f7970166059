// What every verb of the operators' client needs, and what they do alike: lists of several pages,
// acts on one host or many.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"
#include "gatekeeper/client/api.h"

namespace google::protobuf {
class Message;
}

namespace bootgate::gatekeeper::client {

struct Console {
  Api& api;
  cli::OutputFormat format = cli::OutputFormat::kTable;
  std::ostream& out;  // results
  std::ostream& err;  // complaints
};

// Prints "error: ..." with reason code and way out, and gives the exit code. kUnreachable when
// nobody answered.
ExitCode Fail(const Console& console, const absl::Status& status);

// All pages of a list, in one message. `request` has fields page_size and page_token; `answer`
// next_page_token. With `limit` above 0: no more pages once there are so many in field `rows`.
absl::Status ListAll(Api& api, absl::string_view method, google::protobuf::Message& request,
                     google::protobuf::Message& answer, const std::string& rows, int limit = 0);

// A call that changes something: under a fresh idempotency key, and again under the same one when
// the connection broke before the answer came.
absl::Status Change(Api& api, absl::string_view method, google::protobuf::Message& request,
                    google::protobuf::Message& answer);

// Which hosts a verb is about.
struct Targets {
  std::vector<std::string> hosts;  // ids
  std::string selector;            // in their place: labels, as "role=db,rack=7"
  bool dry_run = false;
};

// A change of hosts (requests with host_ids, dry_run, idempotency_key; answers with results): in
// pieces that the gatekeeper takes at once. `done` and `would` word what became of a host:
// "approved", "would be approved". Exit codes: of the error when it is about one host, kPartial
// when some hosts of several could not be changed.
ExitCode ChangeHosts(const Console& console, absl::string_view method,
                     google::protobuf::Message& request, const Targets& targets,
                     const std::string& done);

}  // namespace bootgate::gatekeeper::client
