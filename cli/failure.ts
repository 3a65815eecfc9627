import { PalisadeError } from '#core/problem'

/**
 * Code, cause and way out on one line. Of what a server says its message alone is shown: detail, hint and context may
 * quote the statement. A statement that carries a verifier is refused in words of our own (setVerifier in
 * gateway/store/existing-database.ts).
 */
export function describe(error: unknown): string {
  if (error instanceof PalisadeError) return error.message
  const { code, message, syscall, path } = error as NodeJS.ErrnoException
  if (syscall === 'connect' || syscall === 'getaddrinfo' || code === 'ECONNREFUSED') {
    return `ERR_DATABASE_UNAVAILABLE: ${message || code}; start it or correct its address`
  }
  return path === undefined
    ? message || String(error)
    : unusableFile(path, error, 'name a file that this program may read').message
}

/** A file that the caller named and that cannot be opened, by whatever the system says of it. */
export const unusableFile = (path: string, cause: unknown, remedy: string): PalisadeError => {
  const { code = 'unknown' } = cause as NodeJS.ErrnoException
  return new PalisadeError('ERR_CONFIG_INVALID', `"${path}" cannot be opened (${code})`, {
    cause,
    remedy,
  })
}
