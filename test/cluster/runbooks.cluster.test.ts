import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forward, type Forward } from '../support/forward.ts'
import { runbookCommands, runCommand } from '../support/runbook-commands.ts'

const COMMANDS = runbookCommands().filter(({ section }) => section === 'Diagnosis')
const RUNS = COMMANDS.map(({ page, text }) => [page, text] as const)

/** What is not run on a platform in order, by how the command begins, with the reason. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'palisade audit export': 'needs a login of an auditor; test/cluster/gateway runs it with one',
  'palisade audit verify': 'needs that export; test/cluster/gateway runs it',
}
/** Searches for traces of trouble, which in order find none: grep ends with 1, kubectl says so. */
const isSearch = (text: string) => /\| grep| get events/.test(text)
const FOUND_NONE = 'No resources found\n'
/** A container that never restarted has no log before this one, which is an answer. */
const isFormerLog = (text: string) => text.includes('--previous')
const intoFile = (text: string) => />\s*[\w.-]+$/.test(text)

let folder = ''
let tunnel: Forward
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'palisade-runbooks-'))
  // The second terminal of docs/runbooks/README.md.
  tunnel = await forward('palisade-monitoring', 'svc/prometheus-operated', 9090, 9090)
})
afterAll(async () => {
  tunnel?.stop()
  await rm(folder, { recursive: true, force: true })
})

describe('the diagnosis on a platform in order', () => {
  it.concurrent.each(
    RUNS.filter(([, text]) => !Object.keys(NOT_RUN).some((begin) => text.startsWith(begin))),
  )('%s: %s', async (_, text) => {
    const ran = await runCommand(text, folder)
    if (isFormerLog(text) && ran.code !== 0) {
      return expect(ran.stderr).toContain('previous terminated container')
    }
    if (isSearch(text)) {
      expect(['', FOUND_NONE]).toContain(ran.stderr)
      return expect([0, 1]).toContain(ran.code)
    }
    expect(ran.stderr).toBe('')
    expect(ran.code).toBe(0)
    if (text.startsWith('curl')) expect(ran.stdout).toContain('"status":"success"')
    if (!intoFile(text)) expect(ran.stdout.trim()).not.toBe('')
  })

  it('leaves out only what is named with its reason', () => {
    for (const begin of Object.keys(NOT_RUN)) {
      expect(
        COMMANDS.some(({ text }) => text.startsWith(begin)),
        begin,
      ).toBe(true)
    }
  })
})
