#include "pki/pkcs11_module.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/status_macros.h"

namespace bootgate::pki {
namespace {

constexpr CK_ULONG kMaxSlots = 256;

struct NamedError {
  CK_RV rv;
  const char* name;
  bool lost;  // another session, another start of the module may help
};
constexpr NamedError kErrors[] = {
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY", false},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID", true},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR", true},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED", true},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD", false},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR", true},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY", true},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED", true},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID", true},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT", false},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED", false},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID", false},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID", true},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT", false},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID", false},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE", false},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED", false},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED", false},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED", true},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT", false},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID", true},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT", true},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED", true},
    {CKR_TOKEN_WRITE_PROTECTED, "CKR_TOKEN_WRITE_PROTECTED", false},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN", true},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED", false},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED", true},
};

const NamedError* Find(CK_RV rv) {
  const auto* const found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                         [rv](const NamedError& row) { return row.rv == rv; });
  return found == std::end(kErrors) ? nullptr : found;
}

// Labels are padded with blanks to 32 bytes (section 3.2).
std::string Trimmed(const CK_TOKEN_INFO& info) {
  const std::string label(std::begin(info.label), std::end(info.label));
  return std::string(absl::StripTrailingAsciiWhitespace(label));
}

}  // namespace

std::string Pkcs11ErrorName(unsigned long rv) {  // NOLINT(google-runtime-int)
  const NamedError* const known = Find(rv);
  return known != nullptr ? known->name : absl::StrFormat("CKR 0x%08x", rv);
}

bool IsLostConnection(unsigned long rv) {  // NOLINT(google-runtime-int)
  const NamedError* const known = Find(rv);
  // What a vendor defined for itself may be anything; a new session costs little.
  return known == nullptr || known->lost;
}

absl::StatusOr<std::shared_ptr<Pkcs11Module>> Pkcs11Module::Load(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<Pkcs11Module>>& loaded =
      *new std::map<std::string, std::weak_ptr<Pkcs11Module>>;
  const std::lock_guard lock(mutex);
  if (auto known = loaded[path].lock()) return known;
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::UnavailableError(absl::StrCat("cannot load the module ", path, ": ", dlerror()));
  }
  void* const entry = dlsym(library, "C_GetFunctionList");
  CK_FUNCTION_LIST_PTR functions = nullptr;
  if (entry == nullptr || reinterpret_cast<CK_C_GetFunctionList>(entry)(&functions) != CKR_OK ||
      functions == nullptr) {
    dlclose(library);
    return absl::UnavailableError(absl::StrCat(path, " is no PKCS#11 module"));
  }
  std::shared_ptr<Pkcs11Module> module(new Pkcs11Module(path, library, functions));
  BG_RETURN_IF_ERROR(module->Begin());
  loaded[path] = module;
  return module;
}

Pkcs11Module::~Pkcs11Module() {
  functions_->C_Finalize(nullptr);
  dlclose(library_);
}

absl::Status Pkcs11Module::Begin() {
  CK_C_INITIALIZE_ARGS arguments{};
  arguments.flags = CKF_OS_LOCKING_OK;
  const CK_RV rv = functions_->C_Initialize(&arguments);
  if (rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("the module ", path_, " does not start: ", Pkcs11ErrorName(rv)));
}

absl::Status Pkcs11Module::Restart(int seen) {
  const std::unique_lock lock(use_);
  if (generation_ != seen) return absl::OkStatus();
  ++generation_;
  functions_->C_Finalize(nullptr);
  return Begin();
}

absl::StatusOr<unsigned long> Pkcs11Module::SlotOf(const std::string& token) {  // NOLINT
  CK_ULONG count = 0;
  CK_RV rv = functions_->C_GetSlotList(CK_TRUE, nullptr, &count);
  if (rv == CKR_OK && count <= kMaxSlots) {
    std::vector<CK_SLOT_ID> slots(count);
    rv = functions_->C_GetSlotList(CK_TRUE, slots.data(), &count);
    slots.resize(std::min<size_t>(slots.size(), count));
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info{};
      if (rv == CKR_OK && functions_->C_GetTokenInfo(slot, &info) == CKR_OK &&
          Trimmed(info) == token) {
        return slot;
      }
    }
  }
  return absl::UnavailableError(
      absl::StrCat("no such token in the module ", path_,
                   rv == CKR_OK ? "" : absl::StrCat(" (", Pkcs11ErrorName(rv), ")")));
}

absl::StatusOr<unsigned long> Pkcs11Module::OpenSession(const Login& login) {  // NOLINT
  BG_ASSIGN_OR_RETURN(const CK_SLOT_ID slot, SlotOf(login.token));
  CK_SESSION_HANDLE session = CK_INVALID_HANDLE;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (login.writable ? CKF_RW_SESSION : CK_FLAGS{0});
  CK_RV rv = functions_->C_OpenSession(slot, flags, nullptr, nullptr, &session);
  if (rv != CKR_OK) {
    return absl::UnavailableError(absl::StrCat("cannot open a session: ", Pkcs11ErrorName(rv)));
  }
  const SecretBytes pin = login.pin.Clone();
  rv = functions_->C_Login(session, CKU_USER, const_cast<CK_UTF8CHAR_PTR>(pin.view().data()),
                           pin.size());
  if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN) return session;
  functions_->C_CloseSession(session);
  const std::string what = absl::StrCat("cannot log in: ", Pkcs11ErrorName(rv));
  // Not tried again with the same PIN: tokens lock themselves after a few.
  return rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_LEN_RANGE ||
                 rv == CKR_PIN_INVALID
             ? absl::PermissionDeniedError(what)
             : absl::UnavailableError(what);
}

}  // namespace bootgate::pki
