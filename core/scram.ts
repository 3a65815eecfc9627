import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

export interface ScramOptions {
  readonly salt: Buffer
  /** PostgreSQL's own default; the passwords are 256 random bits, so stretching adds nothing. */
  readonly iterations?: number
}

/** The four values of RFC 5802 3 that a server needs. */
export function scramSha256Keys(password: string, { salt, iterations = 4096 }: ScramOptions) {
  // SASLprep (RFC 4013) leaves printable ASCII as it is; anything else would need tables we do not carry.
  if (!/^[\x20-\x7e]+$/.test(password)) {
    throw new RangeError('a SCRAM password must be printable ASCII')
  }
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
  return { salt, iterations, storedKey, serverKey: hmac(salted, 'Server Key') }
}

/**
 * What PostgreSQL keeps in `pg_authid.rolpassword`. It lets the server check a login and lets nobody log in,
 * so a statement that carries it may be logged without giving the password away.
 */
export function scramSha256Verifier(password: string, options: ScramOptions): string {
  const { salt, iterations, storedKey, serverKey } = scramSha256Keys(password, options)
  const text = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'))
  return `SCRAM-SHA-256$${iterations}:${text[0]}$${text[1]}:${text[2]}`
}

const hmac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
