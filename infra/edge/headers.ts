import type { StackConfig } from '../config/schema.ts'

export type XssFilter = StackConfig['edge']['xssFilter']

/** On every answer, whoever made it. */
export const SECURITY_HEADERS: readonly (readonly [name: string, value: string])[] = [
  ['Strict-Transport-Security', 'max-age=31536000; includeSubDomains'],
  [
    'Content-Security-Policy',
    "default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
  ],
  ['X-Frame-Options', 'DENY'],
  ['X-Content-Type-Options', 'nosniff'],
  ['Referrer-Policy', 'strict-origin-when-cross-origin'],
  ['Permissions-Policy', 'geolocation=(), microphone=()'],
  // The filter of old browsers could be turned against a page; 0 switches it off.
  ['X-XSS-Protection', '0'],
]

/** For teams whose rules ask for the older value. */
const BLOCKING: Readonly<Record<string, string>> = { 'X-XSS-Protection': '1; mode=block' }

export const quote = (value: string): string => {
  if (/["\\\n\r$]/.test(value)) throw new Error(`cannot stand in a quoted nginx value: ${value}`)
  return `"${value}"`
}

/** `always`: also on answers of 400 and above. A block that adds one header must repeat all of them. */
export const headerLines = (xssFilter: XssFilter): readonly string[] =>
  SECURITY_HEADERS.map(([name, byDefault]) => {
    const value = (xssFilter === 'block' ? BLOCKING[name] : undefined) ?? byDefault
    return `add_header ${name} ${quote(value)} always;`
  })

/** The gateway sets them as well, for those who reach it without the edge; once is enough. */
export const hideUpstreamHeaders = (): readonly string[] =>
  [...SECURITY_HEADERS.map(([name]) => name), 'Server', 'X-Powered-By'].map(
    (name) => `proxy_hide_header ${name};`,
  )
