// Verbs `reference ima build`, `import`, `merge`, `diff`, `expire`, `show`: reference sets as
// files.
//
// They need no store and no network. Results go to `out`, complaints and remarks to `err`. Where
// keys are given, every set and policy that is read must be signed by one of them: a DSSE envelope,
// or FILE.p7s beside it.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct ImaSetOutput {
  OutputFormat format = OutputFormat::kTable;
  std::ostream& out;
  std::ostream& err;
  const Clock& clock;  // what "now" is
};

// Times are RFC 3339, seconds since 1970, or "now"; durations 90m, 12h, 7d.
struct ImaBuildOptions {
  std::vector<std::string> folders, debs, rpms, package_folders, sums, lists;
  bool executables_only = false;
  std::string out_file, name;
  std::string created;  // empty: nothing is written, so that the same input makes the same id
  std::string grace;    // empty: older versions of a package stay good, and are only noted
  std::string at = "now";
};
ExitCode ImaBuild(const ImaBuildOptions& options, const ImaSetOutput& to);

struct ImaImportOptions {
  std::string file, out_file, name;
  std::string bare_32 = "sha256";  // or sm3-256
  std::vector<std::string> verify_keys;
};
ExitCode ImaImport(const ImaImportOptions& options, const ImaSetOutput& to);

struct ImaMergeOptions {
  std::string older, newer, out_file;
  std::string grace = "7d", at = "now";
  std::vector<std::string> verify_keys;
};
ExitCode ImaMerge(const ImaMergeOptions& options, const ImaSetOutput& to);

struct ImaDiffOptions {
  std::string before, after;
  std::vector<std::string> verify_keys;
};
ExitCode ImaDiff(const ImaDiffOptions& options, const ImaSetOutput& to);

struct ImaExpireOptions {
  std::string set, out_file;
  std::string against;  // empty: nothing is closed
  std::string at = "now";
  std::string drop_before;  // empty: nothing is dropped
  std::vector<std::string> verify_keys;
};
ExitCode ImaExpire(const ImaExpireOptions& options, const ImaSetOutput& to);

struct ImaShowOptions {
  std::string set;
  std::string path;  // the digests of this path too
  std::vector<std::string> verify_keys;
};
ExitCode ImaShow(const ImaShowOptions& options, const ImaSetOutput& to);

}  // namespace bootgate::gatekeeper::cli
