#include "gatekeeper/sealing/approving_key.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/files.h"
#include "common/base/hex.h"
#include "common/base/json_text.h"
#include "common/base/reason.h"
#include "common/base/status_macros.h"
#include "common/config/config_file.h"
#include "common/crypto/random.h"
#include "gatekeeper/sealing/key_folder.h"

namespace bootgate::gatekeeper::sealing {
namespace {

using pki::KeySpec;
using HolderPtr = std::shared_ptr<const pki::KeyHolder>;

constexpr size_t kNameBytes = 4;   // random, in the names of keys
constexpr size_t kMaxPem = 16384;  // bytes
constexpr mode_t kFileMode = 0600;
constexpr char kPlainKey[] = "approving.key";

std::string PlainKeyIn(const std::string& folder) { return absl::StrCat(folder, "/", kPlainKey); }
std::string RecordIn(const std::string& folder) { return folder + "/approving.toml"; }

absl::Status Corrupt(const std::string& path, absl::string_view why) {
  return Refuse(absl::StatusCode::kFailedPrecondition, Reason::kStateCorrupt,
                absl::StrCat(path, ": ", why));
}

HolderPtr Held(crypto::PrivateKey key, const std::string& path) {
  return pki::InMemory(std::make_shared<const crypto::PrivateKey>(std::move(key)),
                       absl::StrCat("file ", path));
}

// kNotFound.
absl::StatusOr<HolderPtr> ReadPlainKey(const std::string& path) {
  BG_ASSIGN_OR_RETURN(const SecretBytes pem, ReadOwnFile(path, kMaxPem));
  absl::StatusOr<crypto::PrivateKey> key = crypto::PrivateKey::FromPem(AsText(pem.view()));
  if (!key.ok() || key->Public().curve() != crypto::Curve::kP256) {
    return Corrupt(path, "no private key of curve P-256");
  }
  return Held(*std::move(key), path);
}

struct Record {
  KeySpec spec;
  crypto::PublicKey key;
};

std::string ToToml(const Record& record) {
  const KeySpec& spec = record.spec;
  return absl::StrCat(
      "# Who holds the key that approves boot states, as `bootgate-gatekeeper approval key make`\n"
      "# has it.\n",
      "holder = ", JsonString(pki::Name(spec.kind)), "\n", "file = ", JsonString(spec.file), "\n",
      "module = ", JsonString(spec.module), "\n", "token = ", JsonString(spec.token), "\n",
      "label = ", JsonString(spec.label), "\n", "secret = ", JsonString(pki::Text(spec.secret)),
      "\n", "public_key = ", JsonString(ToHex(record.key.SpkiDer())), "\n");
}

absl::StatusOr<Record> ReadRecord(const std::string& path) {
  BG_ASSIGN_OR_RETURN(config::ConfigFile file, config::ConfigFile::Load(path));
  KeySpec spec;
  std::string holder, secret, key_hex;
  file.Choice("holder", {"file", "pkcs11", "tpm"}, &holder);
  file.Text("file", &spec.file);
  file.Text("module", &spec.module);
  file.Text("token", &spec.token);
  file.Text("label", &spec.label);
  file.Text("secret", &secret);
  file.Text("public_key", &key_hex);
  const absl::Status read = file.Finish();
  if (!read.ok()) return Corrupt(path, read.message());
  spec.kind = holder == "pkcs11" ? KeySpec::Kind::kPkcs11
              : holder == "tpm"  ? KeySpec::Kind::kTpm
                                 : KeySpec::Kind::kFile;
  absl::StatusOr<pki::SecretSource> source = pki::ParseSecretSource(secret);
  if (!source.ok()) return Corrupt(path, source.status().message());
  spec.secret = *std::move(source);
  const absl::StatusOr<Bytes> der = FromHex(key_hex);
  absl::StatusOr<crypto::PublicKey> key =
      der.ok() ? crypto::PublicKey::FromSpkiDer(*der) : der.status();
  if (!key.ok() || key->curve() != crypto::Curve::kP256) {
    return Corrupt(path, "public_key is no key of curve P-256");
  }
  return Record{std::move(spec), *std::move(key)};
}

// nullptr: there is none.
absl::StatusOr<HolderPtr> Present(const std::string& folder) {
  const std::string record_path = RecordIn(folder);
  if (FileExists(record_path)) {
    BG_ASSIGN_OR_RETURN(const Record record, ReadRecord(record_path));
    return pki::OpenKey(record.spec, folder, record.key);
  }
  absl::StatusOr<HolderPtr> plain = ReadPlainKey(PlainKeyIn(folder));
  if (absl::IsNotFound(plain.status())) return HolderPtr();
  return plain;
}

absl::StatusOr<HolderPtr> MakePlainKey(const std::string& folder) {
  const std::string path = PlainKeyIn(folder);
  BG_ASSIGN_OR_RETURN(crypto::PrivateKey made,
                      crypto::PrivateKey::GenerateEc(crypto::Curve::kP256));
  BG_RETURN_IF_ERROR(WriteFileAtomically(path, made.Pem().view(), kFileMode));
  return Held(std::move(made), path);
}

// A name that no earlier key of this folder, of its token or of its TPM has.
KeySpec Named(KeySpec spec) {
  const std::string name = absl::StrCat("approving-", crypto::RandomHex(kNameBytes));
  if (spec.kind == KeySpec::Kind::kFile) spec.file = name + ".key";
  if (spec.kind == KeySpec::Kind::kTpm) spec.file = name + ".tpm";
  if (spec.kind == KeySpec::Kind::kPkcs11) spec.label = absl::StrCat("bootgate-", name);
  return spec;
}

// The key file that is of no use any more; a key in a token stays there.
void RemoveOld(const std::string& folder, const std::optional<Record>& old) {
  const std::string file = old.has_value() ? old->spec.file : std::string(kPlainKey);
  if (file.empty() || file.find_first_of("/:") != std::string::npos) return;
  RemoveFile(absl::StrCat(folder, "/", file)).IgnoreError();  // nothing reads it again
}

}  // namespace

absl::StatusOr<HolderPtr> ApprovingKey(const std::string& folder) {
  BG_ASSIGN_OR_RETURN(HolderPtr present, Present(folder));
  if (present != nullptr) return present;
  BG_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  BG_ASSIGN_OR_RETURN(present, Present(folder));  // whoever held the lock may have made it
  if (present != nullptr) return present;
  return MakePlainKey(folder);
}

absl::StatusOr<HolderPtr> MakeApprovingKey(const std::string& folder, const KeySpec& where,
                                           Existing existing) {
  BG_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(folder));
  const bool has_record = FileExists(RecordIn(folder));
  const bool there = has_record || FileExists(PlainKeyIn(folder));
  if (there && existing == Existing::kStays) {
    return absl::AlreadyExistsError(absl::StrCat(
        folder, " has an approving key; with another one no approval stands any more"));
  }
  std::optional<Record> old;
  if (has_record) {
    // One that cannot be read may be replaced, too.
    if (absl::StatusOr<Record> read = ReadRecord(RecordIn(folder)); read.ok()) old = *read;
  }
  const KeySpec spec = Named(where);
  BG_ASSIGN_OR_RETURN(HolderPtr made, pki::MakeKey(spec, folder, crypto::Curve::kP256));
  BG_RETURN_IF_ERROR(
      WriteFileAtomically(RecordIn(folder), AsBytes(ToToml({spec, made->Public()})), kFileMode));
  if (there) RemoveOld(folder, old);
  return made;
}

}  // namespace bootgate::gatekeeper::sealing
