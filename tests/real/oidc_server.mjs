// An OpenID provider with a small API behind it, on one port:  node oidc_server.mjs <folder of the install> <port>
//
// Tokens live for five seconds. Refresh tokens rotate, and one that comes twice ends its family (that is the provider's
// doing). A client that signs who it is has its key in ./signer.pem. The API lists a source in pages, takes copies of its records, and tells what has happened so far.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [home, port] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(join(home, 'node_modules/oidc-provider/lib/index.js')));

const SECONDS = 5;
const RECORDS = 1500;
const PAGE = 5;
const PAGE_TAKES = 200; // milliseconds

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
writeFileSync('signer.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
const signs = { ...publicKey.export({ format: 'jwk' }), kid: 'signer-1', use: 'sig', alg: 'RS256' };

const GRANTS = ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'];
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: 'app',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      grant_types: GRANTS,
      token_endpoint_auth_method: 'none',
    },
    {
      client_id: 'robot',
      client_secret: 'a+robot/s%secret &=',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    {
      client_id: 'signer',
      redirect_uris: [],
      response_types: [],
      grant_types: ['client_credentials'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [signs] },
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    deviceFlow: { enabled: true },
    devInteractions: { enabled: true },
  },
  pkce: { required: () => true },
  rotateRefreshToken: () => true,
  ttl: { AccessToken: SECONDS, ClientCredentials: SECONDS },
});

const seen = { granted: {}, refused: [], revoked: 0, unauthorized: 0 };
provider.on('grant.success', (ctx) => {
  const grant = ctx.oidc.params.grant_type;
  seen.granted[grant] = (seen.granted[grant] ?? 0) + 1;
});
provider.on('grant.error', (ctx, error) => seen.refused.push(error.error));
provider.on('grant.revoked', () => { seen.revoked += 1; });

async function whose(request) {
  const [, token] = (request.headers.authorization ?? '').split(' ');
  if (!token) return null;
  const found = await provider.AccessToken.find(token) ?? await provider.ClientCredentials.find(token);
  return found && !found.isExpired ? found.accountId ?? found.clientId : null;
}

const copies = [];

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks));
}

async function api(request, url) {
  if (url.pathname === '/api/seen') return [200, { ...seen, copies }];
  const who = await whose(request);
  if (!who) {
    seen.unauthorized += 1;
    return [401, { message: 'who are you?' }];
  }
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /api/me':
      return [200, { name: who }];
    case 'GET /api/source': {
      const first = Number(url.searchParams.get('after') ?? 0) + 1;
      const numbers = Array.from({ length: Math.min(PAGE, RECORDS - first + 1) }, (_, n) => first + n);
      const last = numbers.at(-1);
      await new Promise((done) => { setTimeout(done, PAGE_TAKES); });
      return [200, { rows: numbers.map((id) => ({ id, name: `record ${id}` })), next: last < RECORDS ? last : null }];
    }
    case 'POST /api/copies': {
      const copy = { ...await body(request), id: copies.length + 1 };
      copies.push(copy);
      return [201, copy];
    }
    default:
      return [404, { message: 'there is no such thing' }];
  }
}

const callback = provider.callback();
createServer(async (request, response) => {
  const url = new URL(request.url, provider.issuer);
  if (!url.pathname.startsWith('/api/')) {
    callback(request, response);
    return;
  }
  const [status, reply] = await api(request, url);
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(reply));
}).listen(Number(port), '127.0.0.1');
