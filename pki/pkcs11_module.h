// A PKCS#11 module: loaded once in a process, shared by all keys in its tokens.
//
// Implements: PKCS #11 2.40, sections 5.4 to 5.6 (general, slots, sessions). The module is loaded
// with dlopen and called directly, with p11-kit's header: OpenSSL's engine for it is deprecated
// with all engines, and Debian 12 has no provider; a lost token is easier to tell and to reopen
// this way.
#pragma once

#include <memory>
#include <shared_mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/secret_bytes.h"

struct _CK_FUNCTION_LIST;  // the standard's name

namespace bootgate::pki {

// "CKR_TOKEN_NOT_PRESENT"; "CKR 0x80000001" for what is not in the table.
std::string Pkcs11ErrorName(unsigned long rv);  // NOLINT(google-runtime-int): the standard's type
// The session, the token or the whole module has to be opened anew.
bool IsLostConnection(unsigned long rv);  // NOLINT(google-runtime-int)

class Pkcs11Module {
 public:
  // The one of this path; loads it first. kUnavailable.
  static absl::StatusOr<std::shared_ptr<Pkcs11Module>> Load(const std::string& path);
  ~Pkcs11Module();
  Pkcs11Module(const Pkcs11Module&) = delete;
  Pkcs11Module& operator=(const Pkcs11Module&) = delete;

  const _CK_FUNCTION_LIST& functions() const { return *functions_; }
  // Held shared around calls; Restart holds it alone.
  std::shared_mutex& use() { return use_; }
  // Counts restarts: a session of another generation is gone.
  int generation() const { return generation_; }  // with use() held
  // Ends the module and begins it again, so that tokens that came or went are seen, unless somebody
  // has done so since `seen`.
  absl::Status Restart(int seen);

  // A session with the token of this label, logged in. With use() held shared. kUnavailable.
  struct Login {
    std::string token;
    const SecretBytes& pin;
    bool writable = false;
  };
  absl::StatusOr<unsigned long> OpenSession(const Login& login);  // NOLINT(google-runtime-int)

 private:
  Pkcs11Module(std::string path, void* library, _CK_FUNCTION_LIST* functions)
      : path_(std::move(path)), library_(library), functions_(functions) {}
  absl::Status Begin();
  absl::StatusOr<unsigned long> SlotOf(const std::string& token);  // NOLINT(google-runtime-int)

  const std::string path_;
  void* const library_;
  _CK_FUNCTION_LIST* const functions_;
  std::shared_mutex use_;
  int generation_ = 0;
};

}  // namespace bootgate::pki
