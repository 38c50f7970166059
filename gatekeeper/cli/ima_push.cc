#include "gatekeeper/cli/ima_push.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/cli/operator.h"

namespace bootgate::gatekeeper::cli {

ExitCode ImaPush(const ImaPushOptions& options, const ImaSetOutput& to) {
  const absl::StatusOr<reference::TrustedKeys> trusted = ReadTrustedKeys(options.verify_keys);
  if (!trusted.ok()) return Fail(to.err, trusted.status());
  const absl::StatusOr<ReadSet> read = ReadImaSet(options.set, *trusted);
  if (!read.ok()) return Fail(to.err, read.status());
  const absl::StatusOr<std::string> file = admission::StoreSet(options.folder, *read->set);
  if (!file.ok()) return Fail(to.err, file.status());
  if (to.format == OutputFormat::kJson) {
    to.out << nlohmann::ordered_json{{"id", read->set->id()}, {"file", Printable(*file)}}.dump(2)
           << "\n";
  } else {
    to.out << "set " << read->set->id() << " is here\n"
           << "  name it in a reference: \"ima\": {\"rules\": {\"sets\": [\"" << read->set->id()
           << "\"]}}\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
