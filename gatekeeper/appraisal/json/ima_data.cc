#include "gatekeeper/appraisal/json/ima_data.h"

#include "absl/strings/match.h"
#include "common/crypto/certificate_facts.h"

namespace bootgate::gatekeeper::appraisal::json {
namespace {

constexpr absl::string_view kKernelVersion = "kernel_version";  // critical data of the kernel
constexpr absl::string_view kCommandLine = "kexec-cmdline";

// The kernel gives the buffer's own hash as the entry's digest. Where it is another, the entry is
// one of a file whose template was renamed: the name of the template is not in what was measured.
bool IsOfBuffer(const ima::Entry& entry) {
  const auto alg = crypto::HashAlgFromName(entry.digest_name);
  return alg.has_value() && SameBytes(crypto::Hash(*alg, entry.buffer).view(), entry.file_digest);
}

absl::string_view WithoutFinalNul(ByteView buffer) {
  const absl::string_view text = AsText(buffer);
  return text.substr(0, text.size() - (absl::EndsWith(text, absl::string_view("\0", 1)) ? 1 : 0));
}

class EntryWriter {
 public:
  EntryWriter(const ima::Entry& entry, model::Arena& arena, model::ObjectBuilder& out)
      : entry_(entry), arena_(arena), out_(out) {}

  void Run() {
    Text("TemplateName", entry_.template_name);
    out_.Add("TemplateHash", HexValue(entry_.listed_digest, arena_));
    if (entry_.digest_name.empty()) return;  // the fields could not be read
    Text("EventName", entry_.path);
    out_.Add("FileHash", NamedDigest(entry_.digest_name, entry_.file_digest, arena_));
    if (!entry_.signature.empty()) out_.Add("Signature", Base64UrlValue(entry_.signature, arena_));
    if (entry_.template_kind == ima::Template::kImaBuf) Buffer();
  }

 private:
  void Text(absl::string_view name, absl::string_view text) {
    out_.Add(name, BorrowedText(text, arena_));
  }

  void Buffer() {
    out_.Add("BufferData", Base64UrlValue(entry_.buffer, arena_));
    if (!IsOfBuffer(entry_)) return;
    if (entry_.path == kKernelVersion) {
      Text("KernelVersion", WithoutFinalNul(entry_.buffer));
    } else if (entry_.path == kCommandLine) {
      Text("CmdLine", WithoutFinalNul(entry_.buffer));
    } else if (const auto certificate = crypto::ReadCertificateFacts(entry_.buffer)) {
      Text("Keyring", entry_.path);
      out_.Add("CertificateSubject", TextValue(certificate->subject, arena_));
    }
  }

  const ima::Entry& entry_;
  model::Arena& arena_;
  model::ObjectBuilder& out_;
};

}  // namespace

void AddImaData(const ima::Entry& entry, model::Arena& arena, model::ObjectBuilder& out) {
  if (entry.violation) {
    out.Add("Violation", model::Value::Bool(true));
  } else {
    EntryWriter(entry, arena, out).Run();
  }
}

}  // namespace bootgate::gatekeeper::appraisal::json
