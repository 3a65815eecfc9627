import { readFile } from 'node:fs/promises'
import { PalisadeError } from '#core/problem'

/**
 * What the caller named, read by whoever knows what is in it.
 * @param wanted what should have been named
 * @throws PalisadeError ERR_CONFIG_INVALID for whatever goes wrong; one that says more by itself is left as it is
 */
export async function usable<T>(named: string, wanted: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use()
  } catch (cause) {
    if (cause instanceof PalisadeError) throw cause
    throw new PalisadeError('ERR_CONFIG_INVALID', `"${named}" cannot be used`, {
      cause,
      remedy: `name ${wanted}`,
    })
  }
}

/** The text of a file that the caller named. */
export const usableFile = <T>(
  path: string,
  wanted: string,
  read: (text: string) => T,
): Promise<T> => usable(path, wanted, async () => read(await readFile(path, 'utf8')))
