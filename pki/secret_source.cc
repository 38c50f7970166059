#include "pki/secret_source.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::pki {
namespace {

constexpr absl::string_view kCredential = "credential:", kFile = "file:", kTyped = "typed";
constexpr size_t kMaxSecret = 1024;  // bytes

absl::Status NoSecret(absl::string_view what) {
  return Refuse(absl::StatusCode::kUnavailable, Reason::kCaKey, what);
}

SecretBytes WithoutLineEnd(Bytes bytes) {
  size_t size = bytes.size();
  while (size > 0 && (bytes[size - 1] == '\n' || bytes[size - 1] == '\r')) --size;
  SecretBytes secret(ByteView(bytes).first(size));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  return secret;
}

absl::StatusOr<SecretBytes> FromFile(const std::string& path, mode_t forbidden) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return NoSecret(absl::StrCat("there is no ", path));
  if (!S_ISREG(info.st_mode)) return NoSecret(absl::StrCat(path, " is no file"));
  if ((info.st_mode & forbidden) != 0) {
    return NoSecret(absl::StrCat(path, " may be read by others; chmod 600 it"));
  }
  absl::StatusOr<Bytes> bytes = ReadFile(path, kMaxSecret);
  if (!bytes.ok()) return NoSecret(bytes.status().message());
  SecretBytes secret = WithoutLineEnd(*std::move(bytes));
  if (secret.empty()) return NoSecret(absl::StrCat(path, " is empty"));
  return secret;
}

absl::StatusOr<SecretBytes> FromCredential(const std::string& name) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') {
    return NoSecret(absl::StrCat("no systemd credential '", name,
                                 "': not started by systemd with LoadCredential=", name,
                                 ":PATH ($CREDENTIALS_DIRECTORY is not set)"));
  }
  // systemd guards the folder; the files' modes differ between its versions.
  return FromFile(absl::StrCat(folder, "/", name), S_IWGRP | S_IROTH | S_IWOTH);
}

// The terminal with its echo off, for as long as this lives.
class QuietTerminal {
 public:
  QuietTerminal() : fd_(open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)) {
    if (fd_ < 0 || tcgetattr(fd_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    is_quiet_ = tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    if (is_quiet_) tcsetattr(fd_, TCSAFLUSH, &before_);
    if (fd_ >= 0) close(fd_);
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  bool is_quiet() const { return is_quiet_; }
  void Say(const std::string& text) const {
    if (write(fd_, text.data(), text.size()) < 0) return;
  }
  Bytes Line() const {
    Bytes line;
    line.reserve(kMaxSecret);
    for (uint8_t byte = 0; line.size() < kMaxSecret && read(fd_, &byte, 1) == 1 && byte != '\n';) {
      line.push_back(byte);
    }
    return line;
  }

 private:
  const int fd_;
  termios before_{};
  bool is_quiet_ = false;
};

absl::StatusOr<SecretBytes> Typed(const std::string& what) {
  const QuietTerminal terminal;
  if (!terminal.is_quiet()) {
    return NoSecret(absl::StrCat("cannot ask for ", what, ": there is no terminal"));
  }
  terminal.Say(absl::StrCat(what, ": "));
  SecretBytes secret = WithoutLineEnd(terminal.Line());
  terminal.Say("\n");
  if (secret.empty()) return NoSecret(absl::StrCat("nothing was typed for ", what));
  return secret;
}

}  // namespace

std::string Text(const SecretSource& source) {
  switch (source.kind) {
    case SecretSource::Kind::kNone:
      return "";
    case SecretSource::Kind::kCredential:
      return absl::StrCat(kCredential, source.where);
    case SecretSource::Kind::kFile:
      return absl::StrCat(kFile, source.where);
    case SecretSource::Kind::kTyped:
      return std::string(kTyped);
  }
  __builtin_unreachable();
}

absl::StatusOr<SecretSource> ParseSecretSource(absl::string_view text) {
  if (text.empty()) return SecretSource{};
  if (text == kTyped) return SecretSource{SecretSource::Kind::kTyped, ""};
  if (absl::StartsWith(text, kCredential)) {
    SecretSource out{SecretSource::Kind::kCredential, std::string(text.substr(kCredential.size()))};
    if (!out.where.empty() && out.where.find('/') == std::string::npos && out.where[0] != '.') {
      return out;
    }
  }
  if (absl::StartsWith(text, kFile)) {
    SecretSource out{SecretSource::Kind::kFile, std::string(text.substr(kFile.size()))};
    if (!out.where.empty() && out.where[0] == '/') return out;
  }
  // The text is not told again: it may be the secret itself.
  return absl::InvalidArgumentError(
      "where a secret is, not the secret: credential:NAME, file:/absolute/path (0600), or typed");
}

absl::StatusOr<SecretBytes> ReadSecret(const SecretSource& source, const std::string& what) {
  switch (source.kind) {
    case SecretSource::Kind::kNone:
      return SecretBytes();
    case SecretSource::Kind::kCredential:
      return FromCredential(source.where);
    case SecretSource::Kind::kFile:
      return FromFile(source.where, S_IRWXG | S_IRWXO);
    case SecretSource::Kind::kTyped:
      return Typed(what);
  }
  __builtin_unreachable();
}

}  // namespace bootgate::pki
