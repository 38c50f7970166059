#include "gatekeeper/app/init.h"

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/files.h"
#include "common/base/json_text.h"
#include "common/base/status_macros.h"
#include "common/crypto/random.h"
#include "gatekeeper/app/config.h"
#include "gatekeeper/audit/key_folder.h"
#include "gatekeeper/cli/operator.h"
#include "gatekeeper/store/sqlite/sqlite_store.h"
#include "pki/ca_steps.h"

namespace bootgate::gatekeeper::app {
namespace {

constexpr size_t kClusterIdBytes = 4;

// The configuration file comes last: a folder that has it is complete.
// What is to be told of the CA.
absl::StatusOr<std::string> Make(const std::string& config_path, const std::string& text,
                                 const cli::CaInitOptions& ca) {
  BG_ASSIGN_OR_RETURN(const Config config, ParseConfig(text, config_path));
  BG_ASSIGN_OR_RETURN(const pki::CaPlan plan,
                      cli::PlanOf(ca, config.ca_folder(), config.cluster_id, config.trust_domain));
  BG_RETURN_IF_ERROR(MakeFolder(config.folder, 0700));
  BG_RETURN_IF_ERROR(MakeFolder(config.ca_folder(), 0700));
  BG_ASSIGN_OR_RETURN(const std::vector<pki::CaStep> steps,
                      pki::CreateCas(plan, SystemClock().Now()));
  BG_RETURN_IF_ERROR(store::OpenSqlite({.path = config.store_path(), .create = true}).status());
  BG_ASSIGN_OR_RETURN(const audit::CheckpointKey key,
                      audit::OpenCheckpointKey(config.audit_folder()));
  BG_RETURN_IF_ERROR(WriteFileAtomically(config_path, AsBytes(text), 0600));
  return absl::StrCat(cli::WordsOf(plan, steps),
                      "checkpoints of the audit trail are signed by the key of\n  ",
                      audit::PublicKeyFile(config.audit_folder(), key.id),
                      "\n  keep a copy of this file elsewhere (docs/operating.md)\n");
}

std::string HttpListen(const InitOptions& options) {
  if (!options.http_listen.empty()) return options.http_listen;
  return absl::EndsWith(options.listen, ":0") ? "127.0.0.1:0" : HttpConfig().listen;
}

}  // namespace

ExitCode Init(const InitOptions& options, cli::OutputFormat format, std::ostream& out,
              std::ostream& err) {
  const std::string folder = std::filesystem::absolute(options.folder).lexically_normal().string();
  const std::string config_path = folder + "/gatekeeper.toml";
  if (FileExists(config_path)) {
    err << "error: " << folder << " has a gatekeeper already; nothing was changed\n"
        << "       start it with: bootgate-gatekeeper run --config " << config_path << "\n";
    return ExitCode::kConflict;
  }
  const std::string cluster_id = options.cluster_id.empty()
                                     ? "cluster-" + crypto::RandomHex(kClusterIdBytes)
                                     : options.cluster_id;
  const std::string trust_domain =
      options.trust_domain.empty() ? cluster_id + ".bootgate.internal" : options.trust_domain;
  const absl::StatusOr<std::string> made =
      Make(config_path,
           InitialConfigText(cluster_id, trust_domain, folder, options.listen, HttpListen(options)),
           options.ca);
  if (!made.ok()) return cli::Fail(err, made.status());
  if (format == cli::OutputFormat::kJson) {
    out << "{\"folder\": " << JsonString(folder) << ", \"config\": " << JsonString(config_path)
        << ", \"cluster_id\": " << JsonString(cluster_id)
        << ", \"trust_domain\": " << JsonString(trust_domain) << "}\n";
    return ExitCode::kSuccess;
  }
  out << "made a gatekeeper in " << folder << " (cluster " << cluster_id << ", trust domain "
      << trust_domain << ")\n"
      << *made << "next: name your TPM vendors' roots in " << config_path << ", then\n"
      << "      bootgate-gatekeeper run --config " << config_path << "\n";
  return ExitCode::kSuccess;
}

}  // namespace bootgate::gatekeeper::app
