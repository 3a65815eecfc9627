import {
  mkdir,
  mkdtemp,
  mkdtempDisposable,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, it, describe } from 'vitest'
import { checkpointPath } from './checkpoint.ts'
import { insistOnPassphrase, passphraseFile } from './passphrase.ts'

describe('passphraseFile', () => {
  it('makes one passphrase for the owner alone and keeps it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-passphrase-'))
    try {
      const path = await passphraseFile(folder)
      const first = await readFile(path, 'utf8')
      expect(Buffer.from(first, 'base64url')).toHaveLength(32)
      expect((await stat(path)).mode & 0o777).toBe(0o600)
      expect(await readFile(await passphraseFile(folder), 'utf8')).toBe(first)
      expect(await readdir(folder)).toEqual(['passphrase'])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('insistOnPassphrase', () => {
  const place = (stateDir: string) => ({ project: 'palisade', stack: 'local', stateDir })

  it('refuses a state whose passphrase is gone, and names the file', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'palisade-passphrase-'))
    const at = place(folder.path)
    await expect(insistOnPassphrase(at)).resolves.toBeUndefined()
    await mkdir(dirname(checkpointPath(at)), { recursive: true })
    await writeFile(checkpointPath(at), '{}')
    await expect(insistOnPassphrase(at)).rejects.toMatchObject({
      code: 'ERR_PASSPHRASE_MISSING',
      message: expect.stringContaining(join(folder.path, 'pulumi', 'passphrase')),
    })
    await passphraseFile(join(folder.path, 'pulumi'))
    await expect(insistOnPassphrase(at)).resolves.toBeUndefined()
  })
})
