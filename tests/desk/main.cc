// bootgate-desk: hosts for demonstrations and end-to-end tests, out of captured boots.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/base/status_macros.h"
#include "tests/desk/host.h"
#include "tests/desk/other_kernel.h"

namespace bootgate::desk {
namespace {

struct Arguments {
  std::string folder, case_folder, ca_folder, text, path;
  uint32_t register_index = 0;
};

std::string Absolute(const std::string& path) {
  return path.empty() ? path : std::filesystem::absolute(path).lexically_normal().string();
}

void Print(const Host& host) {
  const nlohmann::json json = {{"tcti", host.tcti()},
                               {"boot_log", host.boot_log_path()},
                               {"user_log", host.user_log_path()},
                               {"ima", host.ima_path()},
                               {"boot_id", host.boot_id_path()},
                               {"ek_root", host.root_certificate_path()},
                               {"ek_issuer", host.issuer_certificate_path()}};
  std::cout << json.dump(2) << "\n";
}

absl::Status Up(const Arguments& in) {
  BG_ASSIGN_OR_RETURN(const auto host, Host::Up({.folder = Absolute(in.folder),
                                                 .case_folder = in.case_folder,
                                                 .ca_folder = Absolute(in.ca_folder),
                                                 .lifetime = Lifetime::kDetached}));
  Print(*host);
  return absl::OkStatus();
}

// The verbs that need a host which is up.
template <typename Verb>
absl::Status With(const Arguments& in, Verb verb) {
  BG_ASSIGN_OR_RETURN(const auto host, Host::Attach(Absolute(in.folder)));
  return verb(*host);
}

int Main(int argc, char** argv) {
  CLI::App app("Hosts out of captured boots, each with a TPM in software");
  app.require_subcommand(1);
  Arguments in;
  absl::Status status;
  const auto add = [&](const char* name, const char* what, auto verb) {
    CLI::App* command = app.add_subcommand(name, what);
    command->add_option("DIR", in.folder, "the host's folder")->required();
    command->callback([&status, verb] { status = verb(); });
    return command;
  };
  CLI::App* up = add("up", "make or start a host", [&] { return Up(in); });
  up->add_option("--case", in.case_folder, "folder of a captured boot")->required();
  up->add_option("--ca", in.ca_folder, "folder of the TPM manufacturer's CA, may be shared");

  CLI::App* extend = add("extend", "extend a register, in no log", [&] {
    return With(in, [&](Host& host) { return host.Extend(in.register_index, in.text); });
  });
  extend->add_option("--pcr", in.register_index)->required();
  extend->add_option("--data", in.text)->required();

  CLI::App* measure = add("measure", "let IMA see a file used", [&] {
    return With(in, [&](Host& host) { return host.Measure(in.path, AsBytes(in.text)); });
  });
  measure->add_option("--path", in.path)->required();
  measure->add_option("--data", in.text, "the file's content")->required();

  CLI::App* reboot = add("reboot", "restart the TPM and replay a boot", [&] {
    return With(in, [&](Host& host) { return host.Reboot(in.case_folder); });
  });
  reboot->add_option("--case", in.case_folder)->required();

  CLI::App* kernel =
      add("other-kernel", "make the folder a captured boot with another kernel",
          [&] { return WriteBootWithKernel(in.case_folder, in.text, Absolute(in.folder)); });
  kernel->add_option("--case", in.case_folder, "the captured boot")->required();
  kernel->add_option("--data", in.text, "stands for the kernel's content")->required();

  add("show", "print where the host's parts are", [&] {
    return With(in, [](Host& host) {
      Print(host);
      return absl::OkStatus();
    });
  });
  add("down", "stop the host", [&] { return With(in, [](Host& host) { return host.Down(); }); });
  CLI11_PARSE(app, argc, argv);
  if (status.ok()) return 0;
  std::cerr << "bootgate-desk: " << status << "\n";
  return 1;
}

}  // namespace
}  // namespace bootgate::desk

int main(int argc, char** argv) { return bootgate::desk::Main(argc, argv); }
