import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { environment } from '../environment.ts'
import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'
import { cacheDir } from '../paths.ts'
import { digestOf } from './digest.ts'
import type { GoTool } from './table.ts'

const MODULES = join(import.meta.dirname, '..', 'bare', 'tools')

/** The public checksum database does not answer for these; the committed go.sum pins them instead. */
const NOT_IN_SUMDB = 'sigs.k8s.io/kube-network-policies,sigs.k8s.io/network-policy-api'

/** Compiler and linker are Go programs and live for seconds: a fifth of their time is collecting what ends with them. */
const GOGC = '400'

let version: Promise<string> | undefined

/** Version of the Go that builds. Asked once per process: every path to a tool depends on it. */
export function goVersion(): Promise<string> {
  version ??= exec('go', ['env', 'GOVERSION'], { env: environment('go') }).then(
    (answer) => answer.trim(),
    (cause: unknown) => {
      throw new LocalError(
        'ERR_GO_MISSING',
        'Go is not on the PATH; the tools of the cluster are compiled from their modules',
        'install Go 1.26 or newer (https://go.dev/dl) and put its bin folder on the PATH',
        cause,
      )
    },
  )
  return version
}

/** Where this program is, or will be, for the inputs as they are now. */
export async function pathOfGoTool(tool: GoTool, binary: string): Promise<string> {
  const module = join(MODULES, tool.module)
  const source = tool.binaries[binary] ?? ''
  const [goMod, goSum, goVersionNow] = await Promise.all([
    readFile(join(module, 'go.mod'), 'utf8'),
    readFile(join(module, 'go.sum'), 'utf8'),
    goVersion(),
  ])
  const own = source === '.' ? { main: await readFile(join(module, 'main.go'), 'utf8') } : {}
  const inputs = { goMod, goSum, ldflags: tool.ldflags, package: source, ...own }
  return join(cacheDir(), 'tools', digestOf({ ...inputs, goVersion: goVersionNow }), binary)
}

/** Compiles one program to `target`, without libc, so that it also runs in an image made of nothing else. */
export async function compile(
  tool: GoTool,
  binary: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const nosumdb = [process.env.GONOSUMDB, NOT_IN_SUMDB].filter(Boolean).join(',')
  // Without the commit: a main.go of ours would otherwise be another program after each.
  const same = ['-trimpath', '-mod=readonly', '-buildvcs=false']
  const args = ['build', ...same, '-ldflags', tool.ldflags, '-o', target]
  const env = { CGO_ENABLED: '0', GOFLAGS: '', GONOSUMDB: nosumdb }
  await exec('go', [...args, tool.binaries[binary] ?? ''], {
    cwd: join(MODULES, tool.module),
    env: { GOGC, ...environment('go', env) },
    signal,
  })
}
