# Outside packages, all from Debian 12. One line each: what for.
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)        # hashes, signatures, X.509, TLS material
find_package(Protobuf 3.21 REQUIRED)      # the wire format; module mode, and before gRPC
find_package(gRPC 1.51 CONFIG REQUIRED)   # the wire
find_package(absl CONFIG REQUIRED)        # Status, strings, time, hash containers
find_package(SQLite3 3.40 REQUIRED)       # the embedded store
find_package(nlohmann_json 3.11 REQUIRED) # JSON output and reference files
find_package(tomlplusplus 3.3 REQUIRED)   # configuration files, errors with line and column
find_package(CLI11 2.1 REQUIRED)          # command lines, in one file per binary
find_package(LibArchive 3.6 REQUIRED)     # .deb and .rpm files, for reference sets
find_package(PkgConfig REQUIRED)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)  # patterns of paths, in linear time
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)  # the HTTP port: health, metrics, key sets
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)  # webhooks: POSTs under one deadline, of bounded answers
pkg_check_modules(P11KIT REQUIRED p11-kit-1)  # pkcs11.h: CA keys in HSMs; nothing of it is linked
# The TPM Software Stack talks to the TPM; agent/tpm alone may link it.
pkg_check_modules(TSS2 REQUIRED IMPORTED_TARGET tss2-esys tss2-mu tss2-rc tss2-tctildr)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)  # sd_notify for Type=notify units

if(BOOTGATE_TESTS)
  find_package(GTest 1.12 REQUIRED)       # unit tests
  find_package(benchmark 1.7 REQUIRED)    # tests/bench
endif()
