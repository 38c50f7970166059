// A host as its owner has one: a TPM in software, the logs of a captured boot, the real agent.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/desk/bus_proxy.h"
#include "tests/desk/host.h"
#include "tests/e2e/program.h"

namespace bootgate::e2e {

struct AgentOptions {
  std::string folder;         // of the host and all its files; made
  std::string ca_folder;      // the TPM vendor's CA, shared by the hosts of a test
  std::string boot = "good";  // a case of tests/corpus/boots
  std::string ak = "ecc", ek = "auto";
  bool install = false;
  int cap_register = -1;
  bool tapped = false;  // somebody sits between the agent and its TPM
  // As the shipped default: the unsealed credential goes into memory only. Tests have it anywhere.
  bool require_tmpfs = false;
  std::string runtime_folder;  // empty: beside `folder`
  bool forget_at_stop = false;
  bool socket = false;  // for programs of the host
  std::string more;     // text at the end of the configuration file
};

class AgentHost {
 public:
  // Ends the test program when the TPM cannot be made.
  explicit AgentHost(const AgentOptions& options);

  // `bootgate-agent ARGUMENTS --config FILE`
  Ran Verb(std::vector<std::string> arguments) const;
  // `run`, in the background.
  std::unique_ptr<Running> Run(const std::vector<std::string>& environment = {}) const;
  void Reboot(const std::string& boot);

  // A field of the status file as text; empty when there is no file yet.
  std::string Status(const std::string& field) const;
  bool IsInstalled() const;
  bool HoldsSealed() const;
  std::string id() const { return Status("host"); }

  std::string state_folder() const { return folder_ + ".state"; }
  std::string runtime_folder() const { return runtime_folder_; }
  std::string socket_path() const { return runtime_folder() + "/workload/api.sock"; }
  std::string config_path() const { return folder_ + ".toml"; }
  std::string log_path() const { return folder_ + ".log"; }
  desk::Host& desk() { return *desk_; }
  // Of a tapped host. Read and changed only while no agent talks.
  desk::Bus& bus() { return *bus_; }
  desk::BusProxy& proxy() { return *proxy_; }
  std::string tcti() const { return proxy_ != nullptr ? proxy_->tcti() : desk_->tcti(); }

 private:
  void Tap();

  std::string folder_;
  std::string runtime_folder_;
  std::unique_ptr<desk::Host> desk_;
  std::unique_ptr<desk::Bus> bus_;
  std::unique_ptr<desk::BusProxy> proxy_;
};

}  // namespace bootgate::e2e
