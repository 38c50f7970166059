// One POST after the other to servers that may be slow, broken or hostile. Over libcurl: it bounds
// the whole exchange by one deadline, which the HTTP library of gatekeeper/http cannot do.
//
// Redirects are not followed, proxies of the environment not used, certificates and names always
// verified (TLS 1.2 at least). Of an answer at most kMaxHead and kMaxBody are taken in; then it is
// cut. Connections are kept for the next request.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"

namespace bootgate::gatekeeper::webhook {

inline constexpr size_t kMaxHead = size_t{32} << 10;  // bytes of status lines and headers together
inline constexpr size_t kMaxBody = size_t{16} << 10;  // bytes

struct Post {
  std::string url;
  std::string ca_file;  // PEM; empty: the system's CAs
  absl::Duration timeout;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

struct Answer {
  // Of the last whole head; 0: none came. Once it came, the answer counts, however its body ends.
  int status = 0;
  std::string body;                            // the beginning, whatever it is
  std::string error;                           // why there was no whole answer; empty: there was
  absl::Duration wait = absl::ZeroDuration();  // as the server asked for (Retry-After, seconds)
};

// One thread at a time.
class HttpClient {
 public:
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Returns within the timeout, or a second after a stop was requested.
  Answer Send(const Post& post, const std::stop_token& stop = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bootgate::gatekeeper::webhook
