import { LocalError } from '../errors.ts'
import { exec } from '../exec.ts'
import { layoutOf } from './layout.ts'
import { initPid, runningNode } from './tree.ts'

const NAMESPACES = ['--mount', '--pid', '--net', '--uts', '--ipc']

/** What stands before a program so that it runs in the namespaces of the running node. */
export async function enterNode(state: string): Promise<string[]> {
  const record = await runningNode(layoutOf(state))
  const init = record && (await initPid(record))
  if (init === undefined) {
    throw new LocalError('ERR_NODE_DOWN', 'the node is not running', 'run `make up`')
  }
  return ['nsenter', '--target', String(init), ...NAMESPACES, '--']
}

/**
 * The same for the node's network alone, which no user of the machine but root can enter. Nothing where
 * no node of ours runs: another backend has no such place.
 */
export async function networkOfNode(state: string): Promise<string[]> {
  const record = await runningNode(layoutOf(state))
  const init = record && (await initPid(record))
  return init === undefined ? [] : ['nsenter', '--target', String(init), '--net', '--']
}

export async function insideNode(state: string, argv: readonly string[]): Promise<string> {
  const [program = '', ...enter] = await enterNode(state)
  return exec(program, [...enter, ...argv])
}
