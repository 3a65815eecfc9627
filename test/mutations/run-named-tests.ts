import { spawn } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mutation } from './mutation.ts'

type Named = Pick<Mutation, 'project' | 'file' | 'test'>

/** What vitest tells its workers: a vitest that is started by a test must not take itself for one of them. */
const OF_VITEST = /^(VITEST|NODE_ENV$|TEST$|DEV$|PROD$|MODE$|SSR$|BASE_URL$)/

/**
 * Runs these tests and nothing else, in a copy of the sources.
 * @returns vitest's JSON report, or undefined when it wrote none
 */
export async function runNamedTests(
  directory: string,
  tests: readonly Named[],
): Promise<string | undefined> {
  const report = join(directory, 'report.json')
  await rm(report, { force: true })
  const all = (key: keyof Named) => [...new Set(tests.map((test) => test[key]))]
  await ended(directory, [
    ...['run', ...all('file'), ...all('project').map((project) => `--project=${project}`)],
    ...['--testNamePattern', `^(${all('test').map(nameForm).join('|')})$`],
    ...['--reporter=json', `--outputFile=${report}`],
  ])
  return readFile(report, 'utf8').catch(() => undefined)
}

/** Vitest puts the titles one behind the other. */
const nameForm = (test: string) =>
  test.replaceAll(' > ', ' ').replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function ended(directory: string, args: readonly string[]): Promise<void> {
  const program = join(directory, 'node_modules/.bin/vitest')
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !OF_VITEST.test(name)),
  )
  return new Promise((resolve, reject) => {
    // The report says it all; what the tests of a broken program print would only frighten.
    const child = spawn(program, args, { cwd: directory, env, stdio: 'ignore' })
    child.on('error', reject)
    child.on('exit', () => resolve())
  })
}
