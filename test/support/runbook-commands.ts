import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { kubeconfigPath } from '../../local/paths.ts'
import { toolPath } from '../../local/tools/path.ts'

const PAGES = join(import.meta.dirname, '../../docs/runbooks')

export interface Command {
  /** Name of the alert. */
  readonly page: string
  readonly section: 'Diagnosis' | 'Mitigation'
  readonly text: string
}

/** Every command in a block of `sh`, as somebody would paste it; a line that ends in a backslash goes on. */
export const commandsIn = (page: string, text: string): readonly Command[] =>
  text.split(/^## /m).flatMap((part) => {
    const section = /^(Diagnosis|Mitigation)\n/.exec(part)?.[1] as Command['section'] | undefined
    if (!section) return []
    return [...part.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].flatMap(([, block = '']) =>
      block
        .replaceAll('\\\n', ' ')
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== '')
        .map((line) => ({ page, section, text: line })),
    )
  })

export const runbookCommands = (): readonly Command[] =>
  readdirSync(PAGES)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .flatMap((file) => commandsIn(basename(file, '.md'), readFileSync(join(PAGES, file), 'utf8')))

export const commandsOf = (page: string, section: Command['section']): readonly Command[] =>
  runbookCommands().filter((command) => command.page === page && command.section === section)

/** The blocks of `sh` of a page without sections, each as a whole. */
export const blocksOf = (page: string): readonly string[] =>
  [...readFileSync(join(PAGES, `${page}.md`), 'utf8').matchAll(/^```sh\n([^]*?)^```$/gm)].map(
    ([, block = '']) => block,
  )

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** As an administrator types it: in bash, in a folder of its own. A failure anywhere in a pipe counts. */
export async function runCommand(text: string, cwd: string): Promise<Ran> {
  const path = `${dirname(await toolPath('kubectl'))}:${process.env['PATH'] ?? ''}`
  const env = { ...process.env, KUBECONFIG: kubeconfigPath(), PATH: path }
  return new Promise((resolve) => {
    execFile(
      'bash',
      ['-o', 'pipefail', '-c', text],
      { cwd, env, timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0
        // Of several containers the first is meant, and kubectl says so; of several pods all are.
        resolve({ code, stdout, stderr: stderr.replace(/^Defaulted container .*\n/gm, '') })
      },
    )
  })
}
