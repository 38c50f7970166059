// A gatekeeper as an operator has one: the real program, its folder, its verbs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/client/gatekeeper_client.h"
#include "tests/desk/scratch_folder.h"
#include "tests/e2e/program.h"

namespace bootgate::e2e {

class Gatekeeper {
 public:
  // Made by `init`, in a folder that goes with this object. `roots`: PEM files of TPM vendors.
  // `more`: text added to the configuration file. Ends the test program when `init` fails.
  explicit Gatekeeper(const std::vector<std::string>& roots, const std::string& more = "");

  // `bootgate-gatekeeper ARGUMENTS --dir FOLDER`
  Ran Verb(std::vector<std::string> arguments) const;
  // The same, which must succeed: the test program ends otherwise. What it printed.
  std::string Do(std::vector<std::string> arguments) const;

  // A first start takes a free port and later ones take it again. `environment`: NAME=VALUE.
  void Start(const std::vector<std::string>& environment = {});
  // Starts it without waiting until it serves.
  void Spawn(const std::vector<std::string>& environment = {});
  // Waits until it serves; ends the test program when it never does.
  void AwaitServing();
  int End(int signal);  // and waits; the exit code, or minus the signal's number

  // A new join file that this many hosts may use, without a further approval.
  std::string JoinFile(const std::string& name, int uses = 1) const;
  agent::Endpoint Endpoint() const;

  std::string Url() const;  // of its HTTP port, while it serves

  std::string address() const { return "127.0.0.1:" + port_; }
  std::string folder() const { return scratch_.path() + "/gatekeeper"; }
  std::string store_path() const { return folder() + "/gatekeeper.db"; }
  // What belongs to the test beside the gatekeeper.
  std::string Beside(const std::string& name) const { return scratch_.path() + "/" + name; }

 private:
  void KeepPort();
  std::string config_path() const { return folder() + "/gatekeeper.toml"; }
  std::string port_file() const { return Beside("port"); }

  const desk::ScratchFolder scratch_;
  std::string port_;  // empty: not started yet
  std::unique_ptr<Running> running_;
};

// Learns a reference from a captured case and makes it and the shipped Secure Boot policy active.
void JudgeBySecureBootAndReference(const Gatekeeper& gatekeeper);

}  // namespace bootgate::e2e
