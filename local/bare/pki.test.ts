import { createPrivateKey, X509Certificate } from 'node:crypto'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CERTIFICATES } from './certificates.ts'
import { ensurePki } from './pki.ts'

const { PATH } = process.env
let folder: string
let pki: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palisade-pki-'))
  pki = join(folder, 'pki')
})
afterEach(() => {
  process.env.PATH = PATH
  rmSync(folder, { recursive: true })
})

/** Writes a part of what it was to write, and is gone. */
const DIES = `#!/bin/sh
while [ "$1" != -out ]; do shift; done
printf -- '-----BEGIN CERT' > "$2"
kill -9 $$`

function expectWhole(): void {
  for (const { name, authority } of CERTIFICATES) {
    const read = (file: string) => readFileSync(join(pki, file))
    const made = new X509Certificate(read(`${name}.crt`))
    expect(made.checkPrivateKey(createPrivateKey(read(`${name}.key`))), name).toBe(true)
    expect(made.verify(new X509Certificate(read(`ca-${authority}.crt`)).publicKey)).toBe(true)
  }
  expect(readdirSync(pki).filter((name) => name.endsWith('.draft'))).toEqual([])
}

describe('ensurePki', () => {
  it('makes all once, and again what was cut off', async () => {
    expect(await ensurePki(pki)).toBe(true)
    expectWhole()
    expect(await ensurePki(pki)).toBe(false)
    for (const [name, length] of [
      ['kubelet.crt', 0],
      ['etcd.key', 20],
    ] as const)
      truncateSync(join(pki, name), length)
    expect(await ensurePki(pki)).toBe(true)
    expectWhole()
  })

  it('goes on where a run was killed in the middle of an authority', async () => {
    writeFileSync(join(folder, 'openssl'), DIES, { mode: 0o755 })
    process.env.PATH = `${folder}:${PATH}`
    await expect(ensurePki(pki)).rejects.toThrow('openssl')
    process.env.PATH = PATH
    expect(await ensurePki(pki)).toBe(true)
    expectWhole()
  })
})
