# Sourced by the other scripts: which Debian 12 packages each job needs, and installing what is missing.

# To build and run the two binaries.
BUILD_PACKAGES=(g++ cmake ninja-build ccache pkg-config protobuf-compiler protobuf-compiler-grpc libprotobuf-dev
  libgrpc++-dev libabsl-dev libssl-dev libtss2-dev libsqlite3-dev libsystemd-dev nlohmann-json3-dev
  libtomlplusplus-dev libcli11-dev libarchive-dev libre2-dev libcpp-httplib-dev libcurl4-openssl-dev libp11-kit-dev)
# Tests and the desk hosts of the demo: GoogleTest, a software TPM, the reference tools we compare with.
TEST_PACKAGES=(libgtest-dev libgmock-dev libbenchmark-dev swtpm swtpm-tools tpm2-tools openssl python3 rpm systemd
  softhsm2 tpm2-openssl gnutls-bin nftables iproute2)
# The second compiler: fuzzing, clang-tidy, clang-format.
CLANG_PACKAGES=(clang-16 clang-tidy-16 clang-format-16 libclang-rt-16-dev)

# install_missing PACKAGE...: asks apt only when something is missing.
install_missing() {
  local missing=() package
  for package in "$@"; do
    if [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
      missing+=("$package")
    fi
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  echo "Installing Debian packages: ${missing[*]}"
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "error: these packages are missing and you are not root: ${missing[*]}" >&2
      echo "       install them with: apt-get install ${missing[*]}" >&2
      return 2
    }
    sudo=(sudo)
  fi
  local log
  log=$(mktemp)
  if ! { "${sudo[@]}" apt-get update -qq &&
         "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
       >"$log" 2>&1; then
    echo "error: apt-get could not install them; its last words:" >&2
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# install_jose: what tests/jose needs. Node and npm from Debian unless they are there already, the library by its
# lock file; the network is asked only when something is missing.
install_jose() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    install_missing nodejs npm
  fi
  local installed=tests/jose/node_modules/.package-lock.json
  [ -e "$installed" ] && [ ! tests/jose/package-lock.json -nt "$installed" ] && return 0
  echo "Installing the JOSE library of the tests (npm ci in tests/jose)"
  local log
  log=$(mktemp)
  if ! npm ci --prefix tests/jose --no-audit --no-fund --ignore-scripts >"$log" 2>&1; then
    echo "error: npm could not install it; its last words:" >&2
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}
