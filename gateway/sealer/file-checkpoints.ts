import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdir, open, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { keySigner } from '#core/audit/note'
import type { CheckpointSigner, CheckpointSink } from './ports.ts'
import { goesFurther } from './progress.ts'

/**
 * Checkpoints and their key in files, for one machine. Whoever can change the database can change these too, so
 * they prove nothing against its administrator.
 */

/** Replaced as a whole, so that a crash leaves the old checkpoint or the new one. */
export function fileSink(path: string): CheckpointSink {
  const newest = async () => {
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
  let holds = false
  return {
    name: 'file',
    newest,
    async publish(note) {
      const there = await newest()
      if (!goesFurther(note, there)) return false
      if (holds && there === undefined) {
        holds = false
        return false
      }
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const next = `${path}.next`
      const file = await open(next, 'w', 0o600)
      try {
        await file.writeFile(note)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(next, path)
      holds = true
      return true
    },
  }
}

/** Reads the Ed25519 key at this path, or makes it. */
export async function fileSigner(path: string, name: string): Promise<CheckpointSigner> {
  return keySigner(name, createPrivateKey(await readOrMake(path)))
}

async function readOrMake(path: string): Promise<string> {
  const made = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' })
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await writeFile(path, made, { flag: 'wx', mode: 0o600 })
    return made.toString()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return readFile(path, 'utf8')
  }
}
