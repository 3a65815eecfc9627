import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { ERROR_CODES, type ErrorCode } from '#api/error-codes'
import { PalisadeError } from '#core/problem'
import type { GatewaySettings } from './config.ts'

const TIMEOUT_MS = 30_000
/** A search over many pages is let wait for its next share of requests, once for each page. */
const LONGEST_PAUSE_S = 60

/** Sends JSON to the gateway and gives back JSON. */
export type AskGateway = (path: string, body: object) => Promise<unknown>

/** @throws PalisadeError with the code that the gateway answered, or ERR_UNAVAILABLE when it cannot be reached */
export async function connectGateway(settings: GatewaySettings): Promise<AskGateway> {
  const { url, token, caFile } = settings
  const ca = caFile === undefined ? undefined : await readFile(caFile, 'utf8')
  const dispatcher = new Agent({ connect: ca === undefined ? {} : { ca } })
  const ask = async (path: string, body: object, isRepeated = false): Promise<unknown> => {
    const answer = await request(new URL(path, url), {
      dispatcher,
      method: 'POST',
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        authorization: `Bearer ${token.reveal()}`,
        'user-agent': 'palisade-cli',
      },
      body: JSON.stringify(body),
    }).catch((cause: unknown) => {
      throw new PalisadeError('ERR_UNAVAILABLE', `the gateway at ${url} gave no answer`, {
        cause,
        remedy: 'compare PALISADE_URL and, for a private authority, PALISADE_CA_FILE',
      })
    })
    const value = parse(await answer.body.text())
    if (answer.statusCode === 200) return value
    const seconds = Number(answer.headers['retry-after'])
    if (answer.statusCode === 429 && seconds <= LONGEST_PAUSE_S && !isRepeated) {
      await pause(seconds * 1_000)
      return ask(path, body, true)
    }
    throw problem(value, answer.statusCode)
  }
  return (path, body) => ask(path, body)
}

function problem(value: unknown, status: number): PalisadeError {
  const { code, detail } = (value ?? {}) as { code?: unknown; detail?: unknown }
  const known = typeof code === 'string' && Object.hasOwn(ERROR_CODES, code)
  return known && typeof detail === 'string'
    ? new PalisadeError(code as ErrorCode, detail)
    : new PalisadeError('ERR_UNAVAILABLE', `the gateway answered ${status}`)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
