// Verbs `ima show`, `ima replay`, `ima verify`: IMA lists read, replayed and judged, offline and
// without a store.
//
// All read `-` as standard input and take a list piece by piece: their memory does not grow with
// it. Exit codes beside those of each verb: 2 what was given cannot be used, 3 it may not be read,
// 8 there is no such file.
#pragma once

#include <istream>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct ImaListIo {
  OutputFormat format = OutputFormat::kTable;
  std::istream& in;   // what `-` means
  std::ostream& out;  // results
  std::ostream& err;  // complaints
  const Clock& clock;
};

// The entries, then the list summed up. JSON: one array of entries, written as they come. 0; 7 when
// the file is no IMA list or breaks off.
struct ImaListShowOptions {
  std::string file = {};
  std::optional<uint32_t> register_index = {};  // only its entries
  std::string filter = {};  // only entries with this text in path, digest or template; empty: all
};
ExitCode ImaListShow(const ImaListShowOptions& options, const ImaListIo& io);

// {"entries": N, "violations": N, "templates": {name: N}, "pcrs": {"10": {"sha1": "hex", ...}},
// "findings": [{"code", "severity", "entry", "text"}]}, and as "pcrs": "pcrs_padded" where the
// kernel lacks the bank's hash, "pcrs_padded_all" from kernels before 5.8 (ima::ExtendRule).
// 0, also with findings; 7 when the list could not be read to its end.
ExitCode ImaListReplay(const std::string& file, const ImaListIo& io);

// Every entry judged by reference sets and signature keys, as the gatekeeper judges it. Every bad
// one is named (at most 500 of a kind). 0 all are good; 6 some are not, or the list does not lead
// to `pcr10`; 7 the file is no IMA list or breaks off.
struct ImaListVerifyOptions {
  std::string file = {};
  std::vector<std::string> references = {};   // set files (`reference ima build`)
  std::string pcr10 = {};                     // hexadecimal, of any bank; empty: nobody vouches
  std::vector<std::string> keys = {};         // PEM: whose file signatures count
  std::vector<std::string> verify_keys = {};  // PEM: who must have signed the sets
  bool report_only = false;                   // what is unlisted or outdated is a warning
  std::string at = "now";                     // for which time the sets are asked
  std::vector<std::string> algorithms = {};   // of digests, allowed beside the strong ones
  std::string signatures = "accept";          // as in a reference's rules: ignore, accept, require
};
ExitCode ImaListVerify(const ImaListVerifyOptions& options, const ImaListIo& io);

}  // namespace bootgate::gatekeeper::cli
