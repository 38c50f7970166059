#include "gatekeeper/appraisal/json/ima_json.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/hex.h"
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

void AppendBuffer(const ima::Entry& entry, JsonText& out) {
  out.Key("BufferData");
  out.Base64Url(entry.buffer);
  if (!IsOfBuffer(entry)) return;
  if (entry.path == kKernelVersion) {
    out.Key("KernelVersion");
    out.String(WithoutFinalNul(entry.buffer));
  } else if (entry.path == kCommandLine) {
    out.Key("CmdLine");
    out.String(WithoutFinalNul(entry.buffer));
  } else if (const auto certificate = crypto::ReadCertificateFacts(entry.buffer)) {
    out.Key("Keyring");
    out.String(entry.path);
    out.Key("CertificateSubject");
    out.String(certificate->subject);
  }
}

void AppendFields(const ima::Entry& entry, JsonText& out) {
  out.Key("TemplateName");
  out.String(entry.template_name);
  out.Key("TemplateHash");
  out.Hex(entry.listed_digest);
  if (entry.digest_name.empty()) return;  // the fields could not be read
  out.Key("EventName");
  out.String(entry.path);
  out.Key("FileHash");
  out.String(absl::StrCat(entry.digest_name, ":", ToHex(entry.file_digest)));
  if (!entry.signature.empty()) {
    out.Key("Signature");
    out.Base64Url(entry.signature);
  }
  if (entry.template_kind == ima::Template::kImaBuf) AppendBuffer(entry, out);
}

}  // namespace

void AppendImaData(const ima::Entry& entry, JsonText& out) {
  out.BeginObject();
  if (entry.violation) {
    out.Key("Violation");
    out.Boolean(true);
  } else {
    AppendFields(entry, out);
  }
  out.EndObject();
}

}  // namespace bootgate::gatekeeper::appraisal::json
