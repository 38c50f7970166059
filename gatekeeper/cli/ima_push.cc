#include "gatekeeper/cli/ima_push.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "gatekeeper/admission/set_shelf.h"
#include "gatekeeper/cli/ima_set_files.h"
#include "gatekeeper/reference/imaset/signed_file.h"

namespace bootgate::gatekeeper::cli {

namespace {

absl::Status WriteAuditRow(const Operator& op, const ReadSet& read) {
  const reference::ImaSet& set = *read.set;
  const audit::Detail detail = audit::Detail()
                                   .Text("name", set.name())
                                   .Number("bytes", static_cast<int64_t>(set.file().size()))
                                   .Number("paths", static_cast<int64_t>(set.counts().paths))
                                   .Text("signature", reference::NameOf(read.state));
  store::Commit commit;
  commit.audit = {AuditOf(op, "imaset.store", set.id(), detail)};
  return op.store.Apply(commit);
}

}  // namespace

ExitCode ImaPush(const Operator& op, const ImaPushOptions& options) {
  const absl::StatusOr<reference::TrustedKeys> trusted = ReadTrustedKeys(options.verify_keys);
  if (!trusted.ok()) return Fail(op.err, trusted.status());
  const absl::StatusOr<ReadSet> read = ReadImaSet(options.set, *trusted);
  if (!read.ok()) return Fail(op.err, read.status());
  const absl::Status audited = WriteAuditRow(op, *read);
  if (!audited.ok()) return Fail(op.err, audited);
  const absl::StatusOr<std::string> file = admission::StoreSet(options.folder, *read->set);
  if (!file.ok()) return Fail(op.err, file.status());
  if (op.format == OutputFormat::kJson) {
    op.out << nlohmann::ordered_json{{"id", read->set->id()}, {"file", Printable(*file)}}.dump(2)
           << "\n";
  } else {
    op.out << "set " << read->set->id() << " is here\n"
           << "  name it in a reference: \"ima\": {\"rules\": {\"sets\": [\"" << read->set->id()
           << "\"]}}\n";
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
