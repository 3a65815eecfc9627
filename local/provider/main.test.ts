import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, 'main.ts')

describe('local/provider/main.ts', () => {
  it('does not start where the official plugin is on the PATH', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'palisade-plugin-'))
    try {
      await writeFile(join(folder, 'pulumi-resource-kubernetes'), '', { mode: 0o755 })
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH ?? ''}` }
      await expect(run(process.execPath, [MAIN], { env })).rejects.toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining(
          `ERR_OFFICIAL_PLUGIN: pulumi-resource-kubernetes is installed in ${folder}`,
        ),
      })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  it('prints its port and ends with its standard input', async () => {
    const started = run(process.execPath, [MAIN])
    started.child.stdin?.end()
    expect((await started).stdout).toMatch(/^\d+\n$/)
  })
})
