import { readdir, readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { storeNodeFrom } from '../config.ts'
import { chooseConfig } from './store-node.ts'

const TEMPLATES = '/etc/openbao'
const CHOSEN = '/run/openbao/config.json'
const DATA = '/data'
const TIMEOUT_MS = 3_000

/** Before the server of a node starts: decides how, and puts the name of the pod into its configuration. */
export const startStoreNode = async (): Promise<'first' | 'join'> => {
  const { pod, nodes, caFile } = storeNodeFrom()
  const ca = await readFile(caFile, 'utf8')
  const agent = new Agent({ connect: { ca, timeout: TIMEOUT_MS }, headersTimeout: TIMEOUT_MS })
  try {
    const chosen = await chooseConfig({
      pod,
      // A fresh volume may hold `lost+found`.
      hasData: (await readdir(DATA)).includes('vault.db'),
      others: nodes.filter((address) => !new URL(address).hostname.startsWith(`${pod}.`)),
      ask: (address) => isInitialised(address, agent),
    })
    const template = await readFile(`${TEMPLATES}/${chosen}.json`, 'utf8')
    await writeFile(CHOSEN, template.replaceAll('{pod}', pod))
    return chosen
  } finally {
    await agent.close()
  }
}

/** Asked without a token, of a server that may be sealed, empty or away. */
export async function isInitialised(
  address: string,
  dispatcher: Agent,
): Promise<boolean | undefined> {
  try {
    const answer = await request(`${address}/v1/sys/init`, { dispatcher })
    const { initialized } = (await answer.body.json()) as { initialized?: unknown }
    return typeof initialized === 'boolean' ? initialized : undefined
  } catch {
    return undefined
  }
}
