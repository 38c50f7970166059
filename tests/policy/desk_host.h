// Test only: a host with a TPM of its own (swtpm) that has joined a gatekeeper in this process, and
// what the gatekeeper decides on the evidence that the agent's own code makes.
#pragma once

#include <memory>
#include <string>

#include "agent/evidence_builder/evidence_builder.h"
#include "agent/tpm/tpm.h"
#include "gatekeeper/admission/admission.h"
#include "tests/desk/host.h"
#include "tests/desk/scratch_folder.h"
#include "tests/gate/gate.h"

namespace bootgate::policy_test {

class DeskHost {
 public:
  // `gate` must outlive it. Ends the test program when the TPM does not come up or may not join.
  DeskHost(gate::Gate& gate, const std::string& case_folder);

  // Genuine evidence for a fresh challenge, and the decision on it. `say`: what else is shown; its
  // paths and key are filled in.
  absl::StatusOr<gatekeeper::admission::Decision> Attest(agent::evidence_builder::Options say = {});
  evidence::Evidence Evidence(agent::evidence_builder::Options say = {});

  void Reboot(const std::string& case_folder);

 private:
  void Join();

  gate::Gate& gate_;
  const desk::ScratchFolder scratch_;
  std::unique_ptr<desk::Host> host_;
  std::unique_ptr<agent::tpm::Tpm> tpm_;
  std::string id_;
};

// A folder in the form of a captured boot for a log of which no registers were captured: they are
// what its SHA-256 bank leads to. Register 0 is left out: a software TPM starts at locality 0.
std::string CaseOfLog(const desk::ScratchFolder& scratch, const std::string& log_path);

}  // namespace bootgate::policy_test
