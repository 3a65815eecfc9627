import { Sealed } from './sealed.ts'

const REDACTED = '[redacted]'

// The second line of defence: secrets travel as Sealed; this catches what a library put into an error or a log.
const SECRET_NAMES =
  /^(?:.*[-_.]?(?:password|passwd|passphrase|secret|token|verifier|api[-_]?key|private[-_]?key|credentials?)|authorization|cookie|set-cookie|x-vault-token|proxy-authorization|plaintext|ciphertext|rolpassword)$/i

const SECRET_TEXTS: readonly (readonly [RegExp, string])[] = [
  // RFC 7519 compact form: three base64url parts, the first two JSON objects.
  [/\beyJ[A-Za-z0-9_-]{4,}\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, REDACTED],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  // user:password@ of any URI; the user stays, since it names which credential failed.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi, `$1:${REDACTED}@`],
  [/\b(?:hvs|hvb|hvr|s|b|r)\.[A-Za-z0-9_-]{20,}/g, REDACTED],
  [/SCRAM-SHA-256\$\d+:[A-Za-z0-9+/=$:]+/g, REDACTED],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g, REDACTED],
  [/(\bPASSWORD\s+)'(?:[^']|'')*'/gi, `$1'${REDACTED}'`],
  [/\b(?:sk|rk|whsec|ghp|gho|ghs|plsd)_[A-Za-z0-9_]{8,}/g, REDACTED],
]

/** A text without the forms that secrets are known to take. */
export function redactText(text: string): string {
  return SECRET_TEXTS.reduce((rest, [form, mark]) => rest.replace(form, mark), text)
}

/** A copy that is safe to log: members with the name of a secret are cut, texts go through `redactText`. */
export function redact(value: unknown): unknown {
  return copy(value, new WeakSet())
}

function copy(value: unknown, above: WeakSet<object>): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value === 'function' || typeof value === 'symbol') return undefined
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Sealed) return value.toJSON()
  if (value instanceof Date) return value.toJSON()
  // Bytes are payloads or keys here; their length is what helps in a log.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (above.has(value)) return '[circular]'
  above.add(value)
  const safe = Array.isArray(value)
    ? value.map((item) => copy(item, above))
    : copyMembers(value, above)
  above.delete(value)
  return safe
}

function copyMembers(object: object, above: WeakSet<object>): Record<string, unknown> {
  const members = Object.entries(object).map(([name, member]) => [
    name,
    SECRET_NAMES.test(name) && member != null ? REDACTED : copy(member, above),
  ])
  const safe = Object.fromEntries(members) as Record<string, unknown>
  // An Error's own fields are not enumerable; its cause may hold the statement that failed.
  if (object instanceof Error) {
    safe['name'] = object.name
    safe['message'] = redactText(object.message)
    if (object.stack !== undefined) safe['stack'] = redactText(object.stack)
    if (object.cause !== undefined) safe['cause'] = copy(object.cause, above)
  }
  return safe
}
