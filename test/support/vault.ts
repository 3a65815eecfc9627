import { readFile } from 'node:fs/promises'
import { Agent, type Dispatcher, request } from 'undici'
import { caPath } from '../../local/answer.ts'
import { inTime } from './child.ts'
import { kubectl } from './cluster.ts'
import { forward } from './forward.ts'

export interface Vault {
  /** The answer's `data`, or undefined for 404. */
  call(
    token: string,
    method: Dispatcher.HttpMethod,
    path: string,
    body?: object,
  ): Promise<Record<string, unknown> | undefined>
  /** A token with the rights of one of the platform's own accounts, and no more. */
  loginAs(account: string, role: string): Promise<string>
  close(): Promise<void>
}

export async function openVault(): Promise<Vault> {
  const ca = await readFile(caPath(), 'utf8')
  const tunnel = await forward('palisade-vault', 'openbao-0', 8200)
  const agent = new Agent({ connect: { ca, servername: 'openbao.palisade-vault.svc' } })
  const ask = async (
    path: string,
    method: Dispatcher.HttpMethod,
    token?: string,
    body?: object,
  ) => {
    const answer = await request(`https://127.0.0.1:${tunnel.port}/v1/${path}`, {
      dispatcher: agent,
      signal: inTime(),
      method,
      headers: token === undefined ? {} : { 'x-vault-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.body.text()
    if (answer.statusCode === 404) return undefined
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`)
    return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
  }
  return {
    async call(token, method, path, body) {
      const answer = await ask(path, method, token, body)
      return answer?.['data'] as Record<string, unknown> | undefined
    },
    async loginAs(account, role) {
      const jwt = await kubectl(
        ...['create', 'token', account, '-n', 'palisade-system'],
        ...['--audience', 'openbao', '--duration', '600s'],
      )
      const answer = await ask('auth/kubernetes/login', 'POST', undefined, {
        role,
        jwt: jwt.trim(),
      })
      return (answer?.['auth'] as { client_token: string }).client_token
    },
    async close() {
      await agent.close()
      tunnel.stop()
    },
  }
}
