// `evidence verify ARCHIVE`: an exported incident, judged again offline.
//
// Nothing of the archive is believed but what a TPM signed: the quote must hold under the archived
// key for the archived question, over exactly the archived logs; then the same rules must give the
// same verdict, byte for byte. What the gatekeeper knew from its own records (the TPM's counters
// before, advisories, IMA entries that were admitted earlier) is taken as recorded, and said.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "common/base/exit_code.h"
#include "gatekeeper/cli/table.h"

namespace bootgate::gatekeeper::cli {

struct ArchiveVerifyOptions {
  std::string file;
  std::vector<std::string> set_files;  // reference sets that were left out of the archive
  OutputFormat format = OutputFormat::kTable;
};

// True for a file, false for a folder or nothing: which of its forms `evidence verify` has.
bool IsIncidentArchive(const std::string& path);

// 0 each judgement comes to its verdict again; 6 one does not (what differs is told); 7 the archive
// or its evidence is not what it must be; 9 a reference set is missing: --set; 2 a file cannot be
// read; 8 the archive holds no judgement.
ExitCode RunArchiveVerify(const ArchiveVerifyOptions& options, std::ostream& out,
                          std::ostream& err);

}  // namespace bootgate::gatekeeper::cli
