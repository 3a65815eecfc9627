import { execFile } from 'node:child_process'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeLog } from './make-log.ts'

const run = promisify(execFile)
const CLI = join(import.meta.dirname, '../../cli/main.ts')
/**
 * Processor time of all threads and the peak of memory, as the last line of standard error. Not `maxRSS`, which a
 * program inherits from the process that started it.
 */
const REPORT = `import { readFileSync } from 'node:fs'
process.on('exit', () => {
  const [, peakKiB] = /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))
  const { user, system } = process.cpuUsage()
  console.error(JSON.stringify({ cpuSeconds: (user + system) / 1e6, peakMiB: peakKiB / 1024 }))
})`

export interface VerificationRun {
  readonly seconds: number
  /** Of all threads. */
  readonly cpuSeconds: number
  readonly peakMiB: number
}

export interface Export {
  readonly path: string
  readonly records: number
  readonly perBatch: number
  readonly bytes: number
  readonly evidence: readonly string[]
}

/** Sealed by the code of the sealer's tree, signed, with a MAC in each record. */
export async function makeExport(
  folder: string,
  records: number,
  perBatch: number,
): Promise<Export> {
  const at = (name: string) => join(folder, name)
  const { verifier, checkpoint, macKey } = await makeLog(at('log.jsonl'), records, perBatch)
  await writeFile(at('checkpoint'), checkpoint)
  const keys = [{ id: macKey.id, key: macKey.secret.toString('base64url') }]
  await writeFile(at('mac-keys'), JSON.stringify(keys), { mode: 0o600 })
  return {
    path: at('log.jsonl'),
    records,
    perBatch,
    bytes: (await stat(at('log.jsonl'))).size,
    evidence: ['--key', verifier, '--checkpoint', at('checkpoint'), '--mac-keys', at('mac-keys')],
  }
}

/** The command that an auditor runs, from its start to its end. */
export async function verifyExport({ path, records, evidence }: Export): Promise<VerificationRun> {
  const since = performance.now()
  const { stdout, stderr } = await run(process.execPath, [
    ...['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`],
    ...[CLI, 'audit', 'verify', path, ...evidence, '--json'],
  ])
  const seconds = (performance.now() - since) / 1000
  const result = JSON.parse(stdout) as { ok: boolean; counts: { sealed: number } }
  if (!result.ok || result.counts.sealed !== records) throw new Error('the log does not hold')
  const usage = JSON.parse(stderr.trim().split('\n').at(-1) ?? '') as Omit<
    VerificationRun,
    'seconds'
  >
  return { ...usage, seconds }
}
