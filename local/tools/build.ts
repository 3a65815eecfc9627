import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cacheDir } from '../paths.ts'
import type { StepContext } from '../steps.ts'
import { compile, pathOfGoTool } from './go.ts'
import { fetchOpenbao, openbaoPath } from './openbao.ts'
import { isBuilt } from './path.ts'
import { GO_TOOLS, type GoTool } from './table.ts'

interface Job {
  readonly name: string
  readonly path: string
  make(target: string, signal: AbortSignal): Promise<void>
}

/** Makes what is missing of one stage, one after another: the compiler itself uses every core. */
export async function buildTools(stage: GoTool['stage'], context: StepContext): Promise<string> {
  const jobs = await jobsOf(stage)
  const missing: Job[] = []
  for (const job of jobs) if (!(await isBuilt(job.path))) missing.push(job)
  for (const [index, job] of missing.entries()) {
    context.note(`building ${job.name} (${index + 1} of ${missing.length})`)
    const start = Date.now()
    await makeAtomically(job, context.signal)
    await recordTime(job.name, Date.now() - start)
  }
  return missing.length === 0 ? 'unchanged' : `built ${missing.map((job) => job.name).join(', ')}`
}

async function jobsOf(stage: GoTool['stage']): Promise<Job[]> {
  const tools = GO_TOOLS.filter((tool) => tool.stage === stage)
  const jobs = tools.flatMap((tool) =>
    Object.keys(tool.binaries).map(async (name): Promise<Job> => {
      const path = await pathOfGoTool(tool, name)
      return { name, path, make: (target, signal) => compile(tool, name, target, signal) }
    }),
  )
  const ready = await Promise.all(jobs)
  if (stage === 'rest') {
    ready.push({ name: 'bao', path: await openbaoPath(), make: fetchOpenbao })
  }
  return ready
}

/** A killed build must not leave half a program under the name that counts as built. */
async function makeAtomically(job: Job, signal: AbortSignal): Promise<void> {
  await mkdir(dirname(job.path), { recursive: true })
  await removeDrafts(job.path)
  const draft = `${job.path}.${process.pid}.draft`
  try {
    await job.make(draft, signal)
    await rename(draft, job.path)
  } finally {
    await rm(draft, { force: true })
  }
}

/** Of builds that were killed: the builder is gone, and nobody else would delete the hundred megabytes it left. */
async function removeDrafts(path: string): Promise<void> {
  for (const name of await readdir(dirname(path))) {
    if (!name.startsWith(`${basename(path)}.`)) continue
    const [, pid] = /^\.(\d+)\.draft/.exec(name.slice(basename(path).length)) ?? []
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    await rm(join(dirname(path), name), { recursive: true, force: true })
  }
}

/** Build times of this machine, for the table of minutes per tool. */
const buildTimesPath = (): string => join(cacheDir(), 'tools', 'build-times.json')

async function recordTime(name: string, ms: number): Promise<void> {
  const path = buildTimesPath()
  const known = await readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, unknown>,
    () => ({}),
  )
  const minutes = Math.round(ms / 600) / 100
  const next = { ...known, [name]: { minutes, at: new Date().toISOString() } }
  await writeFile(`${path}.draft`, `${JSON.stringify(next, null, 2)}\n`)
  await rename(`${path}.draft`, path)
}
