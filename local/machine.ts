import { access, constants, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import type { Backend } from './backend.ts'
import { cgroupsOf } from './bare/cgroups.ts'
import { HOST_PORTS, layoutOf, socketOf } from './bare/layout.ts'
import { environment } from './environment.ts'
import { exec } from './exec.ts'
import { cacheDir, stateDir } from './paths.ts'
import { type Facts, PROGRAMS } from './preflight.ts'
import { goVersion } from './tools/go.ts'
import { isBuilt, plannedPath, PLATFORM_TOOLS } from './tools/path.ts'

/** Looks at the machine without changing it. */
export async function factsOf(backend: Backend): Promise<Facts> {
  const layout = layoutOf(stateDir())
  const [cache, state] = await Promise.all([freeGiB(cacheDir()), freeGiB(stateDir())])
  return {
    platform: process.platform,
    arch: process.arch,
    uid: process.getuid?.() ?? -1,
    cgroups: cgroupsOf(),
    freeGiB: Math.min(cache, state),
    toolsBuilt: await areToolsBuilt().catch(() => false), // without Go nothing can be said
    folder: cache <= state ? cacheDir() : stateDir(),
    missing: await missingPrograms(),
    goVersion: await goVersion().catch(() => undefined),
    takenPorts: (await backend.isThere()) ? [] : await takenPorts(),
    longestSocket: Math.max(
      ...(['api', 'http', 'https'] as const).map((name) => socketOf(layout, name).length),
    ),
  }
}

async function missingPrograms(): Promise<string[]> {
  const missing: string[] = []
  for (const name of Object.keys(PROGRAMS)) if (!(await onPath(name))) missing.push(name)
  const pip = exec('python3', ['-m', 'pip', '--version'], { env: environment('pip') }).catch(
    () => undefined,
  )
  if (!missing.includes('python3') && !(await pip)) missing.push('pip')
  return missing
}

async function areToolsBuilt(): Promise<boolean> {
  for (const name of PLATFORM_TOOLS) if (!(await isBuilt(await plannedPath(name)))) return false
  return true
}

async function onPath(name: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = access(join(folder, name), constants.X_OK).then(
      () => true,
      () => false,
    )
    if (folder !== '' && (await found)) return true
  }
  return false
}

/** Of the nearest folder above that exists. */
async function freeGiB(folder: string): Promise<number> {
  const seen = await statfs(folder).catch(() => undefined)
  if (seen) return (seen.bavail * seen.bsize) / 2 ** 30
  return dirname(folder) === folder ? 0 : freeGiB(dirname(folder))
}

async function takenPorts(): Promise<number[]> {
  const taken: number[] = []
  for (const port of Object.values(HOST_PORTS)) if (!(await isFree(port))) taken.push(port)
  return taken
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
      server.close(() => resolve(true)),
    )
  })
