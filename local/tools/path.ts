import { access, constants } from 'node:fs/promises'
import { join } from 'node:path'
import { LocalError } from '../errors.ts'
import { pathOfGoTool } from './go.ts'
import { openbaoPath } from './openbao.ts'
import { GO_TOOLS, type GoTool } from './table.ts'

const namesOf = (tools: readonly GoTool[]) => tools.flatMap((tool) => Object.keys(tool.binaries))

export const TOOL_NAMES: readonly string[] = [...namesOf(GO_TOOLS), 'bao']

/** Those that `make up` builds. */
export const PLATFORM_TOOLS: readonly string[] = [
  ...namesOf(GO_TOOLS.filter(({ stage }) => stage !== 'test')),
  'bao',
]

/** Where a tool will be once it is built; nothing is checked. PALISADE_TOOLS names a folder of ready ones. */
export async function plannedPath(name: string): Promise<string> {
  const folder = process.env.PALISADE_TOOLS
  if (folder) return join(folder, name)
  if (name === 'bao') return openbaoPath()
  const tool = GO_TOOLS.find((candidate) => name in candidate.binaries)
  if (!tool) throw new Error(`no tool is called "${name}"; known: ${TOOL_NAMES.join(', ')}`)
  return pathOfGoTool(tool, name)
}

export const isBuilt = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )

/** Path of a tool that is there. */
export async function toolPath(name: string): Promise<string> {
  const path = await plannedPath(name)
  if (await isBuilt(path)) return path
  throw new LocalError(
    'ERR_TOOL_MISSING',
    `"${name}" has not been built for the present pins (expected ${path})`,
    'run `make tools`, or `make up`, which builds it first',
  )
}
