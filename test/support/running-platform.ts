import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CGROUP, layoutOf, NODE } from '../../local/bare/layout.ts'
import { runningNode, runningRelay } from '../../local/bare/tree.ts'
import { stateDir } from '../../local/paths.ts'
import { machineState, type MachineState, processTree, type RunningProcess } from './machine.ts'

/** What a machine carries while the platform is up, and what it is without. */
export interface RunningPlatform {
  readonly processes: readonly RunningProcess[]
  readonly namespaces: ReadonlySet<string>
  /** The machine as it is now, but for what is the platform's. */
  readonly without: MachineState
}

export async function runningPlatform(): Promise<RunningPlatform> {
  const layout = layoutOf(stateDir())
  const records = await Promise.all([runningNode(layout), runningRelay(layout)])
  const processes = records.flatMap((one) => (one === undefined ? [] : processTree(one.pid)))
  const now = await machineState()
  const before = JSON.parse(readFileSync(join(stateDir(), 'sysctls.json'), 'utf8')) as object
  return {
    processes,
    namespaces: new Set(processes.flatMap((one) => one.namespaces)),
    without: {
      ...now,
      cgroups: now.cgroups.filter((path) => !path.endsWith(`/${CGROUP}`)),
      settings: { ...now.settings, ...before },
    },
  }
}

const OURS = ['palisade', 'node0', 'pods0', NODE.address, '10.244.', '10.96.']

/** What a node leaves when it leaves something: mounts, links, addresses and rules that are named like its own. */
export const tracesOf = (state: MachineState): readonly string[] =>
  [
    ...state.mounts,
    ...[state.addresses, state.links, state.routes, state.rules].flatMap((all) => all.split('\n')),
    ...state.cgroups,
    ...state.loopDevices,
    ...state.files,
  ].filter((line) => OURS.some((name) => line.includes(name)))
