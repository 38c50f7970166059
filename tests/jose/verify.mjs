// A relying party in a few lines, with a JOSE library that is not Bootgate's.
//
//   node verify.mjs ISSUER_URL TOKEN_FILE
//
// Finds the key set by discovery, verifies the token, and prints {header, claims} as JSON. Then
// shows that the key set does not make bad tokens good: altered, unsigned, signed by a shared
// secret that is the public key, signed by a key of somebody else.
import { readFile } from 'node:fs/promises';
import * as jose from 'jose';

const [issuer, file] = process.argv.slice(2);
const token = (await readFile(file, 'utf8')).trim();

const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
const discovery = await answer.json();
if (discovery.issuer !== issuer) throw new Error(`discovery names ${discovery.issuer}`);
const keys = jose.createRemoteJWKSet(new URL(discovery.jwks_uri));
const options = { issuer, algorithms: discovery.id_token_signing_alg_values_supported };
const { payload, protectedHeader } = await jose.jwtVerify(token, keys, options);

// The chain in the header ends in the key that signed.
const x5c = protectedHeader.x5c?.[0];
if (x5c !== undefined) {
  const pem = `-----BEGIN CERTIFICATE-----\n${x5c}\n-----END CERTIFICATE-----`;
  await jose.jwtVerify(token, await jose.importX509(pem, protectedHeader.alg), options);
}

const [header, claims, signature] = token.split('.');
const encoded = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const set = await (await fetch(discovery.jwks_uri)).json();
const jwk = set.keys.find((key) => key.kid === protectedHeader.kid);
const publicPem = await jose.exportSPKI(await jose.importJWK(jwk, jwk.alg));
const stranger = await jose.generateKeyPair('ES256');
const bad = {
  altered: `${header}.${encoded({ ...payload, 'x-ms-policy': { forged: true } })}.${signature}`,
  unsigned: `${encoded({ alg: 'none', kid: jwk.kid })}.${claims}.`,
  shared: await new jose.SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', kid: jwk.kid })
    .sign(new TextEncoder().encode(publicPem)),
  stranger: await new jose.SignJWT(payload)
    .setProtectedHeader({ alg: 'ES256', kid: jwk.kid })
    .sign(stranger.privateKey),
};
for (const [name, text] of Object.entries(bad)) {
  const refused = await jose.jwtVerify(text, keys, options).then(() => false, () => true);
  if (!refused) throw new Error(`the ${name} token was accepted`);
}

console.log(JSON.stringify({ header: protectedHeader, claims: payload, bad }));
