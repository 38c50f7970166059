#include "gatekeeper/http/revocation_pages.h"

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gatekeeper/http/routes.h"

namespace bootgate::gatekeeper::http {
namespace {

constexpr int kNotFoundCode = 404, kUnsupportedCode = 415, kUnavailableCode = 503;
constexpr absl::string_view kOcspPath = "/ocsp/";
constexpr char kOcspRequest[] = "application/ocsp-request";
constexpr char kOcspResponse[] = "application/ocsp-response";

struct MediaType {
  absl::string_view suffix, type;
};
constexpr MediaType kMediaTypes[] = {{".crl", "application/pkix-crl"},
                                     {".pem", "application/x-pem-file"},
                                     {".cer", "application/pkix-cert"}};

Response FileBelow(const Sources& sources, const Request& request, absl::string_view folder,
                   std::initializer_list<absl::string_view> suffixes) {
  const std::string name = request.path.substr(folder.size());
  for (const MediaType& media : kMediaTypes) {
    const bool served = std::ranges::find(suffixes, media.suffix) != suffixes.end();
    if (!served || !absl::EndsWith(name, media.suffix)) continue;
    const std::optional<revocation::File> file = sources.publisher->Find(name);
    if (!file.has_value()) break;
    if (file->ends_at <= sources.clock->Now()) {
      return {.status = kUnavailableCode, .body = "there is no present one\n"};
    }
    return {.content_type = std::string(media.type),
            .keeping = Keeping::kWhileItHolds,
            .tag = file->tag,
            .kept = file->body};
  }
  return {.status = kNotFoundCode, .body = "no CA of ours has this key id\n"};
}

Response OcspAnswer(const Sources& sources, absl::string_view der) {
  const revocation::OcspReply reply = sources.publisher->Ocsp(AsBytes(der));
  return {.body = reply.body,
          .content_type = kOcspResponse,
          .max_age = reply.may_be_kept ? reply.kept_for : absl::ZeroDuration()};
}

}  // namespace

Response RevocationList(const Sources& sources, const Request& request) {
  return FileBelow(sources, request, "/crl/", {".crl", ".pem"});
}

Response CaCertificate(const Sources& sources, const Request& request) {
  return FileBelow(sources, request, "/ca/", {".cer"});
}

Response OcspPosted(const Sources& sources, const Request& request) {
  const absl::string_view type(request.content_type);
  if (!absl::EqualsIgnoreCase(type.substr(0, type.find(';')), kOcspRequest)) {
    return {.status = kUnsupportedCode, .body = absl::StrCat("send ", kOcspRequest, "\n")};
  }
  Response response = OcspAnswer(sources, request.body);
  response.max_age = absl::ZeroDuration();  // nobody keeps answers to POST
  return response;
}

Response OcspInPath(const Sources& sources, const Request& request) {
  std::string der;
  // What is no base64 is no request either: the empty text is answered as one that is malformed.
  if (!absl::Base64Unescape(absl::string_view(request.path).substr(kOcspPath.size()), &der)) {
    der.clear();
  }
  return OcspAnswer(sources, der);
}

}  // namespace bootgate::gatekeeper::http
