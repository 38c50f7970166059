// A gatekeeper that serves and one host with its agent, both the real programs.
#pragma once

#include <string>
#include <utility>

#include "tests/desk/scratch_folder.h"
#include "tests/e2e/agent_host.h"
#include "tests/e2e/gatekeeper.h"

namespace bootgate::e2e {

class World {
 public:
  // `options`: its folders are filled in. `more`: text added to the gatekeeper's configuration.
  explicit World(AgentOptions options = {}, const std::string& more = "")
      : host(Placed(std::move(options), "host")),
        gatekeeper({desk::RootCertificatePath(VendorFolder()),
                    desk::IssuerCertificatePath(VendorFolder())},
                   more) {
    JudgeBySecureBootAndReference(gatekeeper);
    gatekeeper.Start();
  }

  // One more host of the same TPM vendor.
  AgentHost NewHost(const std::string& name, AgentOptions options = {}) const {
    return AgentHost(Placed(std::move(options), name));
  }
  // With a join file of its own.
  Ran Join(const AgentHost& who) {
    return who.Verb({"join", gatekeeper.JoinFile("join-" + std::to_string(++joins_))});
  }
  Ran Join() { return Join(host); }

  // All worlds of a test program share one TPM vendor.
  static const std::string& VendorFolder() {
    static const desk::ScratchFolder folder;
    static const std::string path = folder.path() + "/vendor";
    return path;
  }

 private:
  AgentOptions Placed(AgentOptions options, const std::string& name) const {
    options.folder = scratch.path() + "/" + name;
    options.ca_folder = VendorFolder();
    return options;
  }

 public:
  const desk::ScratchFolder scratch;
  AgentHost host;
  Gatekeeper gatekeeper;

 private:
  int joins_ = 0;
};

}  // namespace bootgate::e2e
