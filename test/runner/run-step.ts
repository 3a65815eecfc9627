import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { Step } from './parts.ts'
import { countTests, failure, NOTHING, type Counts } from './report.ts'

/** Where the reports go, and what is put before each line when lanes write side by side. */
export interface Surroundings {
  readonly reports: string
  readonly prefix: string
}

/** A step that is not vitest counts as one test; a vitest run without a single test counts as a failure. */
export async function runStep(step: Step, { reports, prefix }: Surroundings): Promise<Counts> {
  const report = join(reports, `${randomUUID()}.json`)
  const [program, ...args] = step.command
  if (program === undefined) throw new Error(`step ${step.name} has no command`)
  const reporters = step.vitest
    ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    : []
  const code = await exitCode(program, [...args, ...reporters], prefix)
  if (step.vitest) return countTests(readReport(report), code, step.name)
  return code === 0 ? { ...NOTHING, passed: 1 } : failure(`${step.name}: ended with ${code}`)
}

function readReport(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // vitest died before it could write: countTests turns that into a failure
  }
}

function exitCode(program: string, args: readonly string[], prefix: string): Promise<number> {
  return new Promise((resolve) => {
    const output = prefix === '' ? 'inherit' : 'pipe'
    const child = spawn(program, args, { stdio: ['inherit', output, output] })
    if (child.stdout) relay(child.stdout, process.stdout, prefix)
    if (child.stderr) relay(child.stderr, process.stderr, prefix)
    child.on('error', (error) => {
      console.error(`cannot start ${program}: ${error.message}`)
      resolve(127)
    })
    child.on('close', (code) => resolve(code ?? 1))
    // A server that a test left behind may hold the pipe; it must not hold the run.
    child.on('exit', (code) => setTimeout(resolve, 2_000, code ?? 1))
  })
}

/** Line by line, so that two lanes never share one. */
function relay(from: Readable, to: Writable, prefix: string): void {
  createInterface({ input: from }).on('line', (line) => to.write(`${prefix}${line}\n`))
}
