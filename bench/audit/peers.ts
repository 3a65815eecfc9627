import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Part } from './load.ts'

const run = promisify(execFile)
const MODULES = join(import.meta.dirname, 'peers')

export const PEERS = ['tessera', 'immudb'] as const
export type Peer = (typeof PEERS)[number]

export interface PeerRun {
  readonly version: string
  readonly full: Part
  /** Absent where no rate was asked for. */
  readonly steady?: Part
}

export interface PeerLoad {
  readonly writers: number
  readonly seconds: number
  readonly rate: number
  readonly recordBytes: number
}

/** Compiled from their modules into a folder of this checkout; the first time takes minutes. */
export async function buildPeers(): Promise<string> {
  const folder = join(import.meta.dirname, '../../.state/bench-peers')
  await mkdir(folder, { recursive: true })
  const flags = ['-trimpath', '-buildvcs=false', '-mod=readonly', '-o', `${folder}/`]
  await run('go', ['build', ...flags, './tessera', './immudb'], { cwd: MODULES })
  return folder
}

/** On an empty directory beside the database's, so on the same disk. */
export async function runPeer(
  folder: string,
  peer: Peer,
  parent: string,
  { writers, seconds, rate, recordBytes }: PeerLoad,
): Promise<PeerRun> {
  const directory = await mkdtemp(join(parent, `palisade-${peer}-`))
  try {
    const flags = { dir: directory, writers, seconds, rate, size: recordBytes }
    const args = Object.entries(flags).flatMap(([name, value]) => [`-${name}`, String(value)])
    const { stdout } = await run(join(folder, peer), args)
    return JSON.parse(stdout) as PeerRun
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
