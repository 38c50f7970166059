// A JWT-SVID by a JOSE library that is not Bootgate's: with the keys of the Workload API's bundle.
//
//   node verify_svid.mjs JWK_SET_FILE SVID_FILE AUDIENCE
//
// Verifies it and prints its claims as JSON; and that another audience, or an altered subject, is
// refused.
import { readFile } from 'node:fs/promises';
import * as jose from 'jose';

const [setFile, file, audience] = process.argv.slice(2);
const keys = jose.createLocalJWKSet(JSON.parse(await readFile(setFile, 'utf8')));
const svid = (await readFile(file, 'utf8')).trim();
const options = { audience, algorithms: ['ES256'] };
const { payload, protectedHeader } = await jose.jwtVerify(svid, keys, options);
if (!protectedHeader.kid) throw new Error('the token names no key');

const refused = (token, wanted) => jose.jwtVerify(token, keys, wanted).then(() => false, () => true);
if (!(await refused(svid, { ...options, audience: 'another' }))) throw new Error('another audience');
const [header, , signature] = svid.split('.');
const forged = Buffer.from(JSON.stringify({ ...payload, sub: 'spiffe://e2e.example/host/h-x' }));
if (!(await refused(`${header}.${forged.toString('base64url')}.${signature}`, options)))
  throw new Error('an altered subject was accepted');

console.log(JSON.stringify(payload));
