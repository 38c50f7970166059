// CRLs, CA certificates and OCSP as HTTP.
//
// Implements: RFC 5280 (4.2.1.13, 4.2.2.1), RFC 2585 (media types); RFC 6960, appendix A (OCSP by
// POST, and by GET with the request in base64 in the path); RFC 5019, section 6 (caching). What a
// cache keeps must not be older than a second: lists are kept and asked after each time, OCSP
// answers kept for a second, answers with a nonce never.
#pragma once

#include "gatekeeper/http/http_server.h"

namespace bootgate::gatekeeper::http {

struct Sources;

// 404: no such file; 503: the list is past its next update, and a new one cannot be made.
Response RevocationList(const Sources& sources, const Request& request);
Response CaCertificate(const Sources& sources, const Request& request);
// 415: the body is no application/ocsp-request. What is no request gets an OCSP answer that says
// so.
Response OcspPosted(const Sources& sources, const Request& request);
Response OcspInPath(const Sources& sources, const Request& request);

}  // namespace bootgate::gatekeeper::http
