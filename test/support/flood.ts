import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FloodResult, FloodWorld } from './flood-process.ts'

export interface Flood {
  readonly process: ChildProcess
  readonly ended: Promise<FloodResult>
}

/** From a process of its own, so that it costs whoever measures nothing. */
export function startFlood(world: FloodWorld): Flood {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'flood-process.ts')], {
    env: { ...process.env, FLOOD_WORLD: JSON.stringify(world) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  process.once('exit', () => child.kill('SIGKILL'))
  const ended = once(child, 'close').then(() => JSON.parse(text) as FloodResult)
  return { process: child, ended }
}

/** What costs a gateway most to refuse: all is right but the signature, which has to be checked to know. */
export function forged(token: string, count: number): string[] {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const [header = '', payload = ''] = token.split('.')
  return Array.from({ length: count }, () => {
    const input = Buffer.from(`${header}.${payload}`)
    const signature = sign('sha256', input, { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${header}.${payload}.${signature.toString('base64url')}`
  })
}
