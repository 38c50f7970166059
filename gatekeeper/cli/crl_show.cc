#include "gatekeeper/cli/crl_show.h"

#include <iterator>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "gatekeeper/cli/operator.h"
#include "pki/crl_view.h"

namespace bootgate::gatekeeper::cli {
namespace {

using nlohmann::ordered_json;
using pki::CrlView;

constexpr size_t kMaxCaFile = 65536;  // bytes

absl::StatusOr<Bytes> Input(const CrlShowOptions& options, const CrlShowIo& io) {
  if (options.file != "-") return ReadFile(options.file, pki::kMaxShownCrl);
  Bytes bytes;
  for (auto at = std::istreambuf_iterator<char>(io.in); at != std::istreambuf_iterator<char>();
       ++at) {
    if (bytes.size() == pki::kMaxShownCrl) {
      return absl::InvalidArgumentError(
          absl::StrCat("standard input: more than ", pki::kMaxShownCrl, " bytes"));
    }
    bytes.push_back(static_cast<uint8_t>(*at));
  }
  return bytes;
}

ordered_json ToJson(const CrlView& view) {
  ordered_json out = {{"issuer", view.issuer},
                      {"issuer_key_id", view.issuer_key_id},
                      {"number", view.number},
                      {"signature", view.signature},
                      {"this_update", FormatUtc(view.this_update)}};
  if (view.next_update.has_value()) out["next_update"] = FormatUtc(*view.next_update);
  if (view.signed_by_ca.has_value()) out["signed_by_ca"] = *view.signed_by_ca;
  out["revoked"] = ordered_json::array();
  for (const CrlView::Entry& entry : view.entries) {
    ordered_json row = {{"serial", entry.serial_hex}, {"revoked_at", FormatUtc(entry.revoked_at)}};
    if (!entry.reason.empty()) row["reason"] = entry.reason;
    if (entry.invalid_since.has_value()) row["invalid_since"] = FormatUtc(*entry.invalid_since);
    out["revoked"].push_back(std::move(row));
  }
  return out;
}

void Print(const CrlView& view, std::ostream& out) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"issuer", view.issuer},
      {"key id", OrDash(view.issuer_key_id)},
      {"number", OrDash(view.number)},
      {"made at", FormatUtc(view.this_update)},
      {"next until", view.next_update.has_value() ? FormatUtc(*view.next_update) : "-"},
      {"signature", view.signature},
      {"revoked", absl::StrCat(view.entries.size())}};
  if (view.signed_by_ca.has_value()) {
    pairs.emplace_back("signed by CA", *view.signed_by_ca ? "yes" : "no");
  }
  out << FormatPairs(pairs);
  if (view.entries.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const CrlView::Entry& entry : view.entries) {
    rows.push_back({entry.serial_hex, FormatUtc(entry.revoked_at), OrDash(entry.reason),
                    entry.invalid_since.has_value() ? FormatUtc(*entry.invalid_since) : "-"});
  }
  out << "\n" << FormatTable({"SERIAL", "REVOKED", "REASON", "SUSPECT SINCE"}, rows);
}

}  // namespace

ExitCode CrlShow(const CrlShowOptions& options, const CrlShowIo& io) {
  const absl::StatusOr<Bytes> bytes = Input(options, io);
  if (!bytes.ok()) return Fail(io.err, bytes.status());
  std::string ca_pem;
  if (!options.ca_file.empty()) {
    absl::StatusOr<std::string> read = ReadTextFile(options.ca_file, kMaxCaFile);
    if (!read.ok()) return Fail(io.err, read.status());
    ca_pem = *std::move(read);
  }
  const absl::StatusOr<CrlView> view = pki::ViewCrl(*bytes, ca_pem);
  if (!view.ok()) {
    io.err << "error: " << (options.file == "-" ? "standard input" : options.file) << ": "
           << view.status().message() << "\n";
    return ExitCode::kRejected;
  }
  if (io.format == OutputFormat::kJson) {
    io.out << ToJson(*view).dump(2) << "\n";
  } else {
    Print(*view, io.out);
  }
  if (view->next_update.has_value() && *view->next_update < io.clock.Now()) {
    io.err << "warning: a newer list was due at " << FormatUtc(*view->next_update)
           << "; verifiers do not believe this one any more\n";
  }
  if (view->signed_by_ca == false) {
    io.err << "error: the certificate in " << options.ca_file << " did not sign this list\n";
    return ExitCode::kRejected;
  }
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::cli
