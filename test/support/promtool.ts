import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { unpackPackages } from '../../local/bare/debian.ts'

const run = promisify(execFile)

/** Debian 13 has it in a package of its own, Debian 12 beside the server. */
const PACKAGES = ['promtool', 'prometheus']

/**
 * promtool on the PATH, or else from Debian's package, unpacked into the cache and never installed. Without
 * either the tests fail here and say so: a test that skips proves nothing.
 */
async function findPromtool(): Promise<string> {
  const onPath = await run('which', ['promtool']).catch(() => undefined)
  if (onPath) return onPath.stdout.trim()
  const failures: unknown[] = []
  for (const name of PACKAGES) {
    try {
      const { root } = await unpackPackages([name], context())
      const file = join(root, 'usr/bin/promtool')
      await access(file)
      return file
    } catch (failure) {
      failures.push(failure)
    }
  }
  throw new AggregateError(
    failures,
    `These tests need promtool: it is not on the PATH, and apt-get could not download ${PACKAGES.join(' or ')}.`,
  )
}

const context = () => ({ note: () => undefined, signal: new AbortController().signal })

const ask = async (...args: readonly string[]): Promise<{ stdout: string; stderr: string }> =>
  run(await findPromtool(), args, { maxBuffer: 64 * 1024 * 1024 }).catch(
    ({ stdout = '', stderr = '' }: { readonly stdout?: string; readonly stderr?: string }) => ({
      stdout,
      stderr,
    }),
  )

/** What promtool says of a file of rules. */
export async function checkRules(file: string): Promise<string> {
  const { stdout, stderr } = await ask('check', 'rules', file)
  return stdout + stderr
}

/** Runs promtool's unit tests of rules and answers what it says of each alert that is not as expected. */
export async function failedAlerts(files: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const { stdout, stderr } = await ask('test', 'rules', ...files)
  const good = stdout.split('\n').filter((line) => line.trim() === 'SUCCESS').length
  const bad = stderr.split('FAILED:').slice(1)
  const blocks = bad.map((said) => said.split(/(?=alertname: \w+, time: )/).slice(1))
  // A file that it cannot read names no alert, and must not pass for one without a failure.
  if (good + bad.length !== files.length || blocks.some(({ length }) => length === 0))
    throw new Error(`promtool could not run: ${stdout}${stderr}`)
  const named = blocks.flat()
  return new Map(named.map((block) => [/\w+(?=, time)/.exec(block)?.[0] ?? '', block]))
}
