import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, describe } from 'vitest'
import { passphraseFile } from './passphrase.ts'

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
