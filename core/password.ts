import { randomBytes } from 'node:crypto'

/** 256 random bits as base64url: 43 characters that need no quoting in a URI, a shell or a SQL literal. */
export function generatePassword(random: (bytes: number) => Buffer = randomBytes): string {
  return random(32).toString('base64url')
}
