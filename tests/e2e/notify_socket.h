// What a service manager listens on (sd_notify(3)): a datagram socket of our own.
#pragma once

#include <string>

namespace bootgate::e2e {

class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path);  // at most 100 characters
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  // For the service's environment.
  std::string variable() const { return "NOTIFY_SOCKET=" + path_; }
  // Whether a message with this line has come, or comes soon.
  bool Hears(const std::string& line);

 private:
  void Drain();

  std::string path_;
  int fd_;
  std::string heard_;
};

}  // namespace bootgate::e2e
