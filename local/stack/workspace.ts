import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  LocalWorkspace,
  PulumiCommand,
  Stack,
  type PulumiFn,
} from '@pulumi/pulumi/automation/index.js'
import { parse, stringify } from 'yaml'
import { LocalError } from '../errors.ts'
import { isBuilt } from '../tools/path.ts'
import { PULUMI_VERSION } from '../tools/table.ts'
import { hasState } from './checkpoint.ts'
import { insistOnPassphrase, passphraseFile } from './passphrase.ts'
import { pulumiDir, type StackRequest } from './request.ts'

interface Settings {
  config?: Record<string, unknown>
  encryptionsalt?: string
}

async function readSettings(path: string): Promise<Settings> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  return (parse(text) as Settings | null) ?? {}
}

/**
 * The engine writes a salt beside the configuration, so it gets a copy of its own: the committed file
 * stays as it is. The salt of the copy is kept, or the state could not be read again.
 */
async function writeSettings(folder: string, request: StackRequest): Promise<void> {
  const path = join(folder, `Pulumi.${request.stack}.yaml`)
  const own = await readSettings(path)
  const committed = request.configFile === undefined ? {} : await readSettings(request.configFile)
  const config = { ...committed.config, ...request.config }
  const salt = own.encryptionsalt === undefined ? {} : { encryptionsalt: own.encryptionsalt }
  const next = `${path}.next`
  await writeFile(next, stringify({ ...salt, config }), { mode: 0o600 })
  await rename(next, path)
}

/** What the engine and its programs see: where things are, and nothing else of ours. */
async function environment(request: StackRequest): Promise<Record<string, string>> {
  const folder = pulumiDir(request)
  return {
    PULUMI_HOME: join(folder, 'home'),
    PULUMI_BACKEND_URL: `file://${folder}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: await passphraseFile(folder),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    PULUMI_SKIP_CONFIRMATIONS: 'true',
    KUBECONFIG: request.kubeconfig,
  }
}

/**
 * The engine writes whatever it hears, the properties of each resource too, to logs in its home, and has no switch
 * for it: megabytes in each run and half of its processor time. It goes on without where it cannot make the folder.
 */
async function refuseEngineLogs(home: string): Promise<void> {
  const path = join(home, 'logs')
  const there = await stat(path).catch(() => undefined)
  if (there?.isFile()) return
  await rm(path, { recursive: true, force: true })
  await mkdir(home, { recursive: true, mode: 0o700 })
  await writeFile(path, 'A file, so that the engine keeps no logs here.\n')
}

/**
 * The SDK would start the engine to ask for its version, by which it chooses how events are told. Each start takes
 * most of a second, and the version is pinned.
 */
async function engineAt(path: string): Promise<PulumiCommand> {
  if (!(await isBuilt(path)))
    throw new LocalError(
      'ERR_PULUMI_MISSING',
      `the Pulumi engine was not found at "${path}"`,
      'run `make tools`, or `make up`, which builds it first',
    )
  const command = Object.create(PulumiCommand.prototype) as PulumiCommand
  return Object.assign(command, { command: path, version: PULUMI_VERSION.slice(1) })
}

/** Each command names its stack, so none needs to be selected: the SDK would start the engine for that in every run. */
async function stackIn(workspace: LocalWorkspace, request: StackRequest): Promise<Stack> {
  if (!(await hasState(request))) return Stack.create(request.stack, workspace)
  workspace.selectStack = () => Promise.resolve()
  return Stack.select(request.stack, workspace)
}

export async function openStack(request: StackRequest, program: PulumiFn): Promise<Stack> {
  const folder = pulumiDir(request)
  await insistOnPassphrase(request)
  const workDir = join(folder, 'work', request.project)
  await mkdir(workDir, { recursive: true, mode: 0o700 })
  await writeSettings(workDir, request)
  await refuseEngineLogs(join(folder, 'home'))
  const workspace = await LocalWorkspace.create({
    program,
    workDir,
    pulumiHome: join(folder, 'home'),
    pulumiCommand: await engineAt(request.pulumi),
    projectSettings: {
      name: request.project,
      runtime: 'nodejs',
      main: dirname(request.program),
      backend: { url: `file://${folder}` },
    },
    envVars: await environment(request),
  })
  return stackIn(workspace, request)
}
