// Owners for what ESYS hands out: objects, sessions and allocated results.
#pragma once

#include <tss2/tss2_esys.h>

#include <cstring>
#include <utility>

#include "agent/tpm/internal/context.h"

namespace bootgate::agent::tpm::internal {

// An object or a session in the TPM, let go of when this goes away. The context must outlive it.
class Transient {
 public:
  enum class Ending {
    kFlush,   // transient objects and sessions
    kForget,  // persistent objects: only ESYS forgets them
    kKeep,    // somebody else's to let go of
  };

  Transient() = default;
  Transient(Context& context, ESYS_TR handle, Ending ending = Ending::kFlush)
      : context_(&context), handle_(handle), ending_(ending) {}
  Transient(Transient&& other) noexcept
      : context_(other.context_),
        handle_(std::exchange(other.handle_, ESYS_TR_NONE)),
        ending_(other.ending_) {}
  Transient& operator=(Transient&& other) noexcept {
    Flush();
    context_ = other.context_;
    handle_ = std::exchange(other.handle_, ESYS_TR_NONE);
    ending_ = other.ending_;
    return *this;
  }
  ~Transient() { Flush(); }

  ESYS_TR get() const { return handle_; }
  // The caller's to let go of from now on.
  ESYS_TR Release() { return std::exchange(handle_, ESYS_TR_NONE); }
  void Flush() {
    ESYS_TR handle = std::exchange(handle_, ESYS_TR_NONE);
    if (handle == ESYS_TR_NONE || ending_ == Ending::kKeep) return;
    if (ending_ == Ending::kForget) {
      Esys_TR_Close(context_->esys(), &handle);
      return;
    }
    // Through Call, so that a tampered answer spoils the context and is cleaned up after.
    context_->Call("TPM2_FlushContext", [&] { return Esys_FlushContext(context_->esys(), handle); })
        .IgnoreError();
  }

 private:
  Context* context_ = nullptr;
  ESYS_TR handle_ = ESYS_TR_NONE;
  Ending ending_ = Ending::kFlush;
};

// A handle that only ESYS knows (an NV index); forgotten when this goes away.
class Reference {
 public:
  Reference(Context& context, ESYS_TR handle) : context_(&context), handle_(handle) {}
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  ~Reference() { Esys_TR_Close(context_->esys(), &handle_); }
  ESYS_TR get() const { return handle_; }

 private:
  Context* context_;
  ESYS_TR handle_;
};

// A result that ESYS allocates. Wiped before it is freed: some are secrets.
template <typename T>
class Result {
 public:
  Result() = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  ~Result() { Clear(); }

  T** put() {
    Clear();
    return &value_;
  }
  const T& operator*() const { return *value_; }
  const T* operator->() const { return value_; }

 private:
  void Clear() {
    if (value_ != nullptr) {
      explicit_bzero(value_, sizeof(T));
      Esys_Free(value_);
    }
    value_ = nullptr;
  }
  T* value_ = nullptr;
};

}  // namespace bootgate::agent::tpm::internal
