#include "gatekeeper/webhook/endpoint.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr absl::string_view kConsumerPrefix = "webhook/";

// "host:port" of an URL whose scheme is taken away.
absl::string_view AuthorityOf(absl::string_view rest) {
  return rest.substr(0, rest.find_first_of("/?#"));
}

// Without the port; an IPv6 address keeps its brackets.
absl::string_view HostOf(absl::string_view authority) {
  if (!authority.empty() && authority.front() == '[') {
    return authority.substr(0, authority.find(']') + 1);
  }
  return authority.substr(0, authority.find(':'));
}

bool IsUrlCharacter(char c) { return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<'; }

}  // namespace

bool IsEndpointName(absl::string_view text) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= kMaxName && std::ranges::all_of(text, fine) &&
         text.front() != '-';
}

absl::Status CheckUrl(absl::string_view url) {
  absl::string_view rest = url;
  if (url.size() > kMaxUrl) {
    return absl::InvalidArgumentError(absl::StrCat("is longer than ", kMaxUrl, " bytes"));
  }
  if (!absl::ConsumePrefix(&rest, "https://") && !absl::ConsumePrefix(&rest, "http://")) {
    return absl::InvalidArgumentError("must begin with https:// or http://");
  }
  if (!std::ranges::all_of(rest, IsUrlCharacter)) {
    return absl::InvalidArgumentError("has characters that an URL cannot have; write them as %XX");
  }
  const absl::string_view authority = AuthorityOf(rest);
  if (authority.find('@') != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        "has a user or password in it; the signature is what receivers check");
  }
  if (HostOf(authority).empty()) return absl::InvalidArgumentError("names no host");
  if (rest.find('#') != absl::string_view::npos) {
    return absl::InvalidArgumentError("has a fragment (#...), which is never sent");
  }
  return absl::OkStatus();
}

bool CanBeOverheard(absl::string_view url) {
  if (!absl::ConsumePrefix(&url, "http://")) return false;
  const absl::string_view host = HostOf(AuthorityOf(url));
  return host != "localhost" && host != "127.0.0.1" && host != "[::1]";
}

bool Wants(const Endpoint& endpoint, const store::ChangeRow& change) {
  return endpoint.kinds.empty() ||
         std::ranges::find(endpoint.kinds, change.kind) != endpoint.kinds.end();
}

std::string ConsumerOf(absl::string_view endpoint_name) {
  return absl::StrCat(kConsumerPrefix, endpoint_name);
}

std::string EndpointOf(absl::string_view consumer) {
  return absl::ConsumePrefix(&consumer, kConsumerPrefix) ? std::string(consumer) : "";
}

}  // namespace bootgate::gatekeeper::webhook
