import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { databaseFrom } from './config.ts'

let dir: string
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'palisade-connection-'))
})
afterEach(() => rm(dir, { recursive: true }))

const keep = (files: Readonly<Record<string, string>>) =>
  Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(dir, name), text)))
const from = () => databaseFrom({ PGHOST: 'db.example.net', PALISADE_DATABASE_DIR: dir })

describe('databaseFrom a mounted connection Secret', () => {
  it('logs in by its password and trusts its authority alone', async () => {
    await keep({ username: 'admin\n', password: 'secret\n', 'ca.crt': 'PEM' })
    expect(await from()).toMatchObject({
      host: 'db.example.net',
      user: 'admin',
      password: 'secret',
      ssl: { ca: 'PEM', rejectUnauthorized: true },
    })
  })

  it.each(['username', 'password', 'ca.crt'])(
    'refuses one without %s and names the key',
    async (key) => {
      const files: Record<string, string> = {
        username: 'a',
        password: 'b',
        'ca.crt': 'c',
        [key]: '',
      }
      await keep(files)
      await expect(from()).rejects.toThrow(`has no "${key}"`)
    },
  )
})
