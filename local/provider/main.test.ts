import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { credentials } from '@grpc/grpc-js'
import { describe, expect, it } from 'vitest'
import { empty, providerService } from './proto.ts'

const run = promisify(execFile)
const MAIN = join(import.meta.dirname, 'main.ts')

/** What the provider answers to this process when `argv` started it. */
async function ask(argv: readonly string[]): Promise<string> {
  const [program = '', ...args] = argv
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  const address = `127.0.0.1:${Number(line.toString())}`
  const client = new providerService.ResourceProviderClient(address, credentials.createInsecure())
  try {
    return await new Promise((resolve) => {
      client.getPluginInfo(new empty.Empty(), (error, info) =>
        resolve(error ? error.message : `version ${info.getVersion()}`),
      )
    })
  } finally {
    client.close()
    child.stdin.end()
    await once(child, 'exit')
  }
}

// Loading the SDK takes a starting process seconds where others compile beside it.
describe('local/provider/main.ts', { timeout: 60_000 }, () => {
  it('answers the process that started it', async () => {
    expect(await ask([process.execPath, MAIN])).toMatch(/^version \d/)
  })

  it('reads nothing from another process of the same user', async () => {
    // The shell in between is the starter, and this process does not descend from it.
    const between = ['sh', '-c', '"$@"; :', 'sh', process.execPath, MAIN]
    expect(await ask(between)).toMatch(/^14 UNAVAILABLE/)
  })

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
