import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessToken, edgeClient } from '../support/edge.ts'
import { forward, type Forward } from '../support/forward.ts'
import { takeLogOut, TAKES_LOG_OUT } from '../support/log-taken-out.ts'
import { runbookCommands, runCommand } from '../support/runbook-commands.ts'

const COMMANDS = runbookCommands().filter(({ section }) => section === 'Diagnosis')
const RUNS = COMMANDS.map(({ page, text }) => [page, text] as const)

/** Searches for traces of trouble, which in order find none: grep ends with 1, kubectl says so. */
const isSearch = (text: string) => /\| grep| get events/.test(text)
const FOUND_NONE = 'No resources found\n'
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
  it.concurrent.each(RUNS.filter(([, text]) => !TAKES_LOG_OUT.includes(text)))(
    '%s: %s',
    async (_, text) => {
      const ran = await runCommand(text, folder)
      if (isSearch(text)) {
        expect(['', FOUND_NONE]).toContain(ran.stderr)
        return expect([0, 1]).toContain(ran.code)
      }
      expect(ran.stderr).toBe('')
      expect(ran.code).toBe(0)
      if (text.startsWith('curl')) expect(ran.stdout).toContain('"status":"success"')
      if (!intoFile(text)) expect(ran.stdout.trim()).not.toBe('')
    },
  )
})

describe('taking the audit log out', () => {
  it('reads the checkpoint, makes an auditor, takes the log out, verifies it and leaves no login', async () => {
    // A gateway that came up a moment ago has committed nothing, and its log has no witness yet.
    const edge = await edgeClient()
    await accessToken(edge)
    await edge.close()
    const ran = await takeLogOut(folder)
    expect(ran.stderr).toBe('')
    expect(ran.stdout).toContain('The audit log holds.')
    expect(ran.stdout).toMatch(/the [1-9]\d* records that the witness saw/)
    expect(ran.code).toBe(0)
    expect(ran.logins).toEqual([])
  })
})
