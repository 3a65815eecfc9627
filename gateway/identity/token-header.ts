/** Longest compact token that is looked at; ours are about 500 characters. */
const MAX_TOKEN_LENGTH = 4096
const MAX_HEADER_LENGTH = 512
const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const ALLOWED = new Set(['alg', 'kid', 'typ'])

export interface TokenHeader {
  readonly kid: string
}

/**
 * The `kid` of a header that could be ours, or undefined. It runs before any key is looked up or any signature is
 * computed, and takes a closed set of parameters: `jwk`, `jku`, `x5u`, `x5c` (RFC 7515 4.1.2 to 4.1.6), `crit`
 * (4.1.11), `b64` (RFC 7797), `zip`, `enc` and `p2c` are refused by not being on the list.
 */
export function readTokenHeader(token: string): TokenHeader | undefined {
  if (token.length > MAX_TOKEN_LENGTH || !COMPACT.test(token)) return undefined
  const encoded = token.slice(0, token.indexOf('.'))
  if (encoded.length > MAX_HEADER_LENGTH) return undefined
  const header = parseObject(Buffer.from(encoded, 'base64url').toString('utf8'))
  if (!header || !Object.keys(header).every((name) => ALLOWED.has(name))) return undefined
  // RFC 9068 2.1: an ID token or a refresh token must not pass for an access token.
  if (header['alg'] !== 'ES256' || header['typ'] !== 'at+jwt') return undefined
  const kid = header['kid']
  return typeof kid === 'string' && kid.length > 0 ? { kid } : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}
