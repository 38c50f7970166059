// A TOML configuration file, read strictly: wrong types, values out of range and unknown keys are
// errors that name the file, the line, and the nearest key that exists.
//
//   BG_ASSIGN_OR_RETURN(ConfigFile file, ConfigFile::Parse(text, "/etc/bootgate/agent.toml"));
//   file.Text("tpm.tcti", &config.tcti);
//   BG_RETURN_IF_ERROR(file.Finish());
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace bootgate::config {

inline constexpr size_t kMaxFileBytes = size_t{1} << 20;

class ConfigFile {
 public:
  // kInvalidArgument "FILE:LINE:COLUMN: ..." when the text is no TOML. `file` is for messages.
  static absl::StatusOr<ConfigFile> Parse(absl::string_view text, absl::string_view file);
  // Reads and parses; errors of files.h as well.
  static absl::StatusOr<ConfigFile> Load(const std::string& path);
  ConfigFile(ConfigFile&&) noexcept;
  ConfigFile& operator=(ConfigFile&&) noexcept;
  ~ConfigFile();

  // Each takes the value of a dotted key when the file has it, and leaves `value` alone when not.
  // A key that was asked for is known; what is wrong comes out of Finish.
  void Text(absl::string_view key, std::string* value);
  void Texts(absl::string_view key, std::vector<std::string>* value);
  void Integer(absl::string_view key, int64_t least, int64_t most, int64_t* value);
  void Integers(absl::string_view key, int64_t least, int64_t most, std::vector<int64_t>* value);
  void Flag(absl::string_view key, bool* value);
  // Written as text with a unit: "90s", "10m", "24h".
  void Span(absl::string_view key, absl::Duration least, absl::Duration most,
            absl::Duration* value);
  // One of the given words.
  void Choice(absl::string_view key, const std::vector<std::string>& words, std::string* value);

  // How many tables an array of tables ([[webhook]]) has; 0 when the key is not there. Their keys
  // are "webhook[0].name" and so on.
  size_t Tables(absl::string_view key);

  bool Has(absl::string_view key) const;

  // Adds a complaint about a key's value from the caller's own check; the line is found.
  void Complain(absl::string_view key, absl::string_view what);

  // kInvalidArgument with every complaint and every unknown key, one a line; OK when there is none.
  absl::Status Finish();

 private:
  struct Impl;
  explicit ConfigFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bootgate::config
