// Engines and EC_KEY methods are deprecated in OpenSSL 3.0; see the header for why they are used.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "agent/workload/tls_key.h"

#include <openssl/ec.h>
#include <openssl/engine.h>
#include <openssl/err.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"

namespace bootgate::agent::workload {
namespace {

constexpr char kEngineId[] = "bootgate";
constexpr char kEngineName[] = "Bootgate: keys inside the TPM";

struct Entry {
  crypto::PublicKey key;
  TlsKey::Sign sign;
};
// Shared: a key that OpenSSL has loaded outlives its name.
using EntryPtr = std::shared_ptr<const Entry>;

// OpenSSL knows engines by process-wide names; so the names of their keys are, too.
class Registry {
 public:
  static Registry& Get() {
    static auto* const registry = new Registry;
    return *registry;
  }
  std::string Add(EntryPtr entry) {
    const std::lock_guard lock(mutex_);
    std::string name = absl::StrCat("key-", ++last_);
    entries_.emplace(name, std::move(entry));
    return name;
  }
  EntryPtr Find(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : found->second;
  }
  void Remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    entries_.erase(name);
  }

 private:
  std::mutex mutex_;
  uint64_t last_ = 0;
  std::map<std::string, EntryPtr> entries_;
};

void FreeEntry(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<EntryPtr*>(data);
}

int DupEntry(CRYPTO_EX_DATA*, const CRYPTO_EX_DATA*, void** data, int, long, void*) {
  if (*data != nullptr) *data = new EntryPtr(*static_cast<EntryPtr*>(*data));
  return 1;
}

int EntryIndex() {
  static const int index = EC_KEY_get_ex_new_index(0, nullptr, nullptr, DupEntry, FreeEntry);
  return index;
}

int SignDigest(int, const unsigned char* digest, int size, unsigned char* out,
               unsigned int* out_size, const BIGNUM*, const BIGNUM*, EC_KEY* key) {
  const auto* const entry = static_cast<EntryPtr*>(EC_KEY_get_ex_data(key, EntryIndex()));
  const auto sha256 = crypto::Digest::From(
      crypto::HashAlg::kSha256, ByteView(digest, static_cast<size_t>(std::max(size, 0))));
  if (entry == nullptr || !sha256.ok()) {
    ERR_raise_data(ERR_LIB_EC, ERR_R_UNSUPPORTED, "the key in the TPM signs SHA-256 alone");
    return 0;
  }
  const absl::StatusOr<Bytes> signature = (*entry)->sign(*sha256);
  if (!signature.ok() || signature->size() > static_cast<size_t>(ECDSA_size(key))) {
    ERR_raise_data(ERR_LIB_EC, ERR_R_OPERATION_FAIL, "%s",
                   std::string(signature.status().message()).c_str());
    return 0;
  }
  std::ranges::copy(*signature, out);
  *out_size = static_cast<unsigned int>(signature->size());
  return 1;
}

// For callers that want r and s apart; nobody here is one.
ECDSA_SIG* SignApart(const unsigned char*, int, const BIGNUM*, const BIGNUM*, EC_KEY*) {
  ERR_raise(ERR_LIB_EC, ERR_R_UNSUPPORTED);
  return nullptr;
}

const EC_KEY_METHOD* Method() {
  static EC_KEY_METHOD* const method = [] {
    EC_KEY_METHOD* const made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    EC_KEY_METHOD_set_sign(made, SignDigest, nullptr, SignApart);
    return made;
  }();
  return method;
}

crypto::PkeyPtr KeyOf(const EntryPtr& entry) {
  using EcKeyPtr = std::unique_ptr<EC_KEY, crypto::FreeWith<EC_KEY_free>>;
  const EcKeyPtr known(EVP_PKEY_get1_EC_KEY(entry->key.get()));
  EcKeyPtr key(known == nullptr ? nullptr : EC_KEY_dup(known.get()));
  crypto::PkeyPtr out(EVP_PKEY_new());
  if (key == nullptr || out == nullptr || EC_KEY_set_method(key.get(), Method()) != 1)
    return nullptr;
  auto held = std::make_unique<EntryPtr>(entry);
  if (EC_KEY_set_ex_data(key.get(), EntryIndex(), held.get()) != 1) return nullptr;
  (void)held.release();  // FreeEntry has it
  if (EVP_PKEY_assign_EC_KEY(out.get(), key.get()) != 1) return nullptr;
  (void)key.release();  // `out` has it
  return out;
}

EVP_PKEY* LoadByName(ENGINE*, const char* name, UI_METHOD*, void*) {
  const EntryPtr entry = Registry::Get().Find(name);
  return entry == nullptr ? nullptr : KeyOf(entry).release();
}

// Once for the process; never taken away, as gRPC may load a key at any time.
bool EngineIsThere() {
  static ENGINE* const engine = ENGINE_new();
  static const bool there = [] {
    // The functional reference of ENGINE_init is kept: loading a key needs one.
    return engine != nullptr && ENGINE_set_id(engine, kEngineId) == 1 &&
           ENGINE_set_name(engine, kEngineName) == 1 &&
           ENGINE_set_load_privkey_function(engine, LoadByName) == 1 && ENGINE_add(engine) == 1 &&
           ENGINE_init(engine) == 1;
  }();
  return there;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TlsKey>> TlsKey::Register(const crypto::PublicKey& key, Sign sign) {
  if (key.curve() != crypto::Curve::kP256) {
    return Refuse(absl::StatusCode::kInvalidArgument, Reason::kKeyWeak,
                  "the identity key is not on P-256");
  }
  if (!EngineIsThere())
    return crypto::OpenSslError(absl::StatusCode::kInternal, "add an engine to OpenSSL");
  const std::string name =
      Registry::Get().Add(std::make_shared<const Entry>(Entry{key, std::move(sign)}));
  return std::unique_ptr<TlsKey>(new TlsKey(name));
}

TlsKey::~TlsKey() { Registry::Get().Remove(name_); }

std::string TlsKey::grpc_name() const { return absl::StrCat("engine:", kEngineId, ":", name_); }

absl::StatusOr<crypto::PkeyPtr> TlsKey::Load() const {
  crypto::PkeyPtr key = KeyOf(Registry::Get().Find(name_));
  if (key == nullptr)
    return crypto::OpenSslError(absl::StatusCode::kInternal, "make a key of the engine");
  return key;
}

}  // namespace bootgate::agent::workload
