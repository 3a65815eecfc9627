import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PARTS, type Part, type Step } from './parts.ts'
import { addCounts, countTests, summary, type Counts, type PartResult } from './report.ts'

const only = process.argv.slice(2)
const unknown = only.filter((name) => !PARTS.some((part) => part.name === name))
if (unknown.length > 0) {
  const names = PARTS.map((part) => `"${part.name}"`).join(', ')
  console.error(`no part is called "${unknown.join(' ')}"; the parts are ${names}`)
  process.exit(2)
}
const reports = mkdtempSync(join(tmpdir(), 'palisade-test-'))

const results: PartResult[] = []
for (const part of PARTS) {
  if (only.length === 0 || only.includes(part.name)) results.push(await runPart(part))
}
rmSync(reports, { recursive: true, force: true })
const { text, ok } = summary(results)
console.log(text)
process.exitCode = ok ? 0 : 1

async function runPart(part: Part): Promise<PartResult> {
  const started = Date.now()
  let counts: Counts = { passed: 0, failed: 0 }
  for (const step of part.steps) {
    console.log(`\n== ${part.name}: ${step.name}`)
    const at = Date.now()
    counts = addCounts(counts, await runStep(step))
    console.log(`-- ${step.name}: ${((Date.now() - at) / 1000).toFixed(0)} s`)
  }
  return { part, counts, minutes: (Date.now() - started) / 60_000 }
}

/** A step that is not vitest counts as one test; a vitest run without a single test counts as a failure. */
async function runStep(step: Step): Promise<Counts> {
  const report = join(reports, `${Date.now()}.json`)
  const [program, ...args] = step.command
  if (program === undefined) throw new Error(`step ${step.name} has no command`)
  const reporters = step.vitest
    ? ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    : []
  const code = await exitCode(program, [...args, ...reporters])
  if (!step.vitest) return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  return countTests(readReport(report), code)
}

function readReport(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined // vitest died before it could write: countTests turns that into a failure
  }
}

function exitCode(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit' })
    child.on('error', (error) => {
      console.error(`cannot start ${program}: ${error.message}`)
      resolve(127)
    })
    child.on('exit', (code) => resolve(code ?? 1))
  })
}
