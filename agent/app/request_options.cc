#include "agent/app/request_options.h"

#include <CLI/CLI.hpp>

namespace bootgate::agent::app {

std::shared_ptr<RequestWords> AddRequestOptions(CLI::App& app) {
  const auto words = std::make_shared<RequestWords>();
  app.add_option("--custom", words->strings, "NAME=VALUE, a claim of this host's own: a text")
      ->take_all();
  app.add_option("--custom-integer", words->integers, "the same: an integer")->take_all();
  app.add_option("--custom-boolean", words->booleans, "the same: true or false")->take_all();
  app.add_option("--key", words->key_file,
                 "a file with a public key as JWK, to be bound by the quote");
  app.add_option("--other-key", words->other_keys,
                 "registers (sha256:0-7) for a further key of the TPM, to be shown to the policy");
  return words;
}

}  // namespace bootgate::agent::app
