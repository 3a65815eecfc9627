import { PalisadeError } from '#core/problem'
import type { RotatingDatabase } from '../ports.ts'

/** What PostgreSQL answers to a password that it does not accept. */
const LOGIN_REFUSED = new Set(['28P01', '28000'])

const isLoginRefused = (error: unknown): boolean =>
  error instanceof PalisadeError &&
  LOGIN_REFUSED.has((error.cause as { code?: string } | undefined)?.code ?? '')

/**
 * A database whose login lies in the secret store. It is opened by the first call; when the server refuses the login,
 * or the store gives none, the next call asks the store again, so a password that was changed there is taken over.
 */
export function lateDatabase(open: () => Promise<RotatingDatabase>): RotatingDatabase {
  let opened: Promise<RotatingDatabase> | undefined

  const forget = (which: Promise<RotatingDatabase>) => {
    if (opened !== which) return
    opened = undefined
    which.then(
      (database) => database.close(),
      () => undefined,
    )
  }

  async function by<T>(act: (database: RotatingDatabase) => Promise<T>): Promise<T> {
    const opening = (opened ??= open())
    const database = await opening.catch((error: unknown) => {
      forget(opening)
      throw error
    })
    try {
      return await act(database)
    } catch (error) {
      if (isLoginRefused(error)) forget(opening)
      throw error
    }
  }

  return {
    preflight: (...given) => by((database) => database.preflight(...given)),
    setVerifier: (...given) => by((database) => database.setVerifier(...given)),
    disable: (...given) => by((database) => database.disable(...given)),
    enable: (...given) => by((database) => database.enable(...given)),
    destroyVerifier: (...given) => by((database) => database.destroyVerifier(...given)),
    terminate: (...given) => by((database) => database.terminate(...given)),
    release: (...given) => by((database) => database.release(...given)),
    resync: (...given) => by((database) => database.resync(...given)),
    adopt: (...given) => by((database) => database.adopt(...given)),
    standing: (...given) => by((database) => database.standing(...given)),
    sessions: (...given) => by((database) => database.sessions(...given)),
    tryLogin: (...given) => by((database) => database.tryLogin(...given)),
    async close() {
      const database = await opened?.catch(() => undefined)
      await database?.close()
    },
  }
}
