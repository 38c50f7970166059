#include "gatekeeper/webhook/http_client.h"

#include <curl/curl.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace bootgate::gatekeeper::webhook {
namespace {

constexpr int kFirstFinalStatus = 200;  // below: announcements, more follows
constexpr absl::Duration kConnectTimeout = absl::Seconds(5);
constexpr int64_t kLongestWait = 3600;  // seconds that a server may ask for

struct FreeEasy {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using ListPtr = std::unique_ptr<curl_slist, FreeList>;

// What arrives in the course of one exchange.
struct Exchange {
  CURL* easy = nullptr;
  const std::stop_token* stop = nullptr;
  Answer answer;
  size_t head_bytes = 0;
  bool cut = false;
};

// OpenSSL writes to sockets without MSG_NOSIGNAL: a server that hung up must not end the process.
// Blocked for this thread alone, and what came is taken away before it is let through again.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    const timespec at_once = {};
    while (sigtimedwait(&pipe_, nullptr, &at_once) == SIGPIPE) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_ = {}, before_ = {};
};

void InitialiseOnce() {
  static const bool done = [] {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) std::abort();  // out of memory
    return true;
  }();
  static_cast<void>(done);
}

void TakeRetryAfter(absl::string_view line, Answer* answer) {
  constexpr absl::string_view kName = "retry-after:";
  if (line.size() < kName.size() || absl::AsciiStrToLower(line.substr(0, kName.size())) != kName) {
    return;
  }
  int64_t seconds = 0;
  if (absl::SimpleAtoi(absl::StripAsciiWhitespace(line.substr(kName.size())), &seconds)) {
    answer->wait = absl::Seconds(std::clamp<int64_t>(seconds, 0, kLongestWait));
  }
}

// Callbacks of libcurl: another number than the size given ends the exchange.
size_t OnHeader(const char* line, size_t, size_t size, void* to) {
  auto* const exchange = static_cast<Exchange*>(to);
  exchange->head_bytes += size;
  if (exchange->head_bytes > kMaxHead) {
    exchange->cut = true;
    return 0;
  }
  const absl::string_view text(line, size);
  TakeRetryAfter(text, &exchange->answer);
  if (absl::StripAsciiWhitespace(text).empty()) {
    long status = 0;  // NOLINT(google-runtime-int): libcurl's type
    curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= kFirstFinalStatus) exchange->answer.status = static_cast<int>(status);
  }
  return size;
}

size_t OnBody(const char* bytes, size_t, size_t size, void* to) {
  auto* const exchange = static_cast<Exchange*>(to);
  std::string& body = exchange->answer.body;
  body.append(bytes, std::min(size, kMaxBody - body.size()));
  exchange->cut = body.size() >= kMaxBody;
  return exchange->cut ? 0 : size;
}

int OnProgress(void* of, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const Exchange*>(of)->stop->stop_requested() ? 1 : 0;
}

ListPtr HeaderList(const Post& post) {
  // "Expect:" without a value: do not wait for leave to send the body.
  ListPtr list(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : post.headers) {
    curl_slist* const longer =
        curl_slist_append(list.get(), absl::StrCat(name, ": ", value).c_str());
    if (longer == nullptr) std::abort();  // out of memory
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

template <typename Value>
void Set(CURL* easy, CURLoption option, Value value) {
  // A refusal means that the library is not the one this was built with.
  if (curl_easy_setopt(easy, option, value) != CURLE_OK) std::abort();
}

long Milliseconds(absl::Duration span) {  // NOLINT(google-runtime-int): libcurl's type
  return static_cast<long>(absl::ToInt64Milliseconds(span));  // NOLINT(google-runtime-int)
}

// What holds whoever is asked.
void SetRules(CURL* easy) {
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  Set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  Set(easy, CURLOPT_PROXY, "");
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));  // NOLINT
  Set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));  // NOLINT
  Set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  Set(easy, CURLOPT_POST, 1L);
}

void SetRequest(CURL* easy, const Post& post) {
  Set(easy, CURLOPT_URL, post.url.c_str());
  if (!post.ca_file.empty()) {
    Set(easy, CURLOPT_CAINFO, post.ca_file.c_str());
    Set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  Set(easy, CURLOPT_TIMEOUT_MS, Milliseconds(post.timeout));
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS, Milliseconds(std::min(post.timeout, kConnectTimeout)));
  Set(easy, CURLOPT_POSTFIELDS, post.body.data());
  Set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
}

std::string ErrorText(const Exchange& exchange, CURLcode code, const char* detail) {
  if (exchange.stop->stop_requested()) return "stopped";
  if (exchange.cut) return "the answer was too long, and was cut";
  return detail[0] != '\0' ? detail : curl_easy_strerror(code);
}

}  // namespace

struct HttpClient::Impl {
  std::unique_ptr<CURL, FreeEasy> easy;
};

HttpClient::HttpClient() : impl_(std::make_unique<Impl>()) {
  InitialiseOnce();
  impl_->easy.reset(curl_easy_init());
  if (impl_->easy == nullptr) std::abort();  // out of memory
}

HttpClient::~HttpClient() {
  const WithoutSigpipe guard;  // connections are closed in form
  impl_.reset();
}

Answer HttpClient::Send(const Post& post, const std::stop_token& stop) {
  CURL* const easy = impl_->easy.get();
  curl_easy_reset(easy);  // options alone: connections stay
  const ListPtr headers = HeaderList(post);
  char detail[CURL_ERROR_SIZE] = "";
  Exchange exchange;
  exchange.easy = easy;
  exchange.stop = &stop;
  SetRules(easy);
  SetRequest(easy, post);
  Set(easy, CURLOPT_HTTPHEADER, headers.get());
  Set(easy, CURLOPT_ERRORBUFFER, detail);
  Set(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  Set(easy, CURLOPT_HEADERDATA, &exchange);
  Set(easy, CURLOPT_WRITEFUNCTION, OnBody);
  Set(easy, CURLOPT_WRITEDATA, &exchange);
  Set(easy, CURLOPT_XFERINFOFUNCTION, OnProgress);
  Set(easy, CURLOPT_XFERINFODATA, &exchange);
  Set(easy, CURLOPT_NOPROGRESS, 0L);
  const WithoutSigpipe guard;
  const CURLcode code = curl_easy_perform(easy);
  if (code != CURLE_OK) exchange.answer.error = ErrorText(exchange, code, detail);
  curl_easy_reset(easy);  // nothing of this call is pointed to any more
  return std::move(exchange.answer);
}

}  // namespace bootgate::gatekeeper::webhook
