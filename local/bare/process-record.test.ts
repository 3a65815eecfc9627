import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { recall, remember } from './process-record.ts'

const file = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'record-')), 'p.json')

describe('recall', () => {
  it('finds the process that was remembered', async () => {
    const path = await file()
    await remember(path, process.pid, 'd1')
    expect(await recall(path)).toMatchObject({ pid: process.pid, digest: 'd1' })
  })
  it.each(['startTicks', 'bootId'])(
    'does not take another process for it: %s differs',
    async (field) => {
      const path = await file()
      await remember(path, process.pid, 'd1')
      const record = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
      await writeFile(path, JSON.stringify({ ...record, [field]: 'other' }))
      expect(await recall(path)).toBeUndefined()
    },
  )
  it('does not take a killed process for a running one while nobody has reaped it', async () => {
    const path = await file()
    // The shell becomes a program that never asks after the child it got from the shell.
    const parent = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'])
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const child = Number(line.toString())
    await remember(path, child, 'd1')
    process.kill(child, 'SIGKILL')
    await expect.poll(() => readFile(`/proc/${child}/stat`, 'utf8')).toContain(') Z ')
    expect(await recall(path)).toBeUndefined()
    parent.kill('SIGKILL')
  })
  it('answers nothing without a record', async () => {
    expect(await recall(await file())).toBeUndefined()
  })
})
