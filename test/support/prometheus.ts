import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { caPath } from '../../local/answer.ts'
import { inTime } from './child.ts'
import { forward } from './forward.ts'

export interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [at: number, value: string]
}
export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'pending' | 'firing'
}

export interface Prometheus {
  /** The series that an expression has at this moment. Refuses with the server's words. */
  query(expr: string): Promise<readonly Sample[]>
  alerts(): Promise<readonly ActiveAlert[]>
  close(): Promise<void>
}

/** The platform's own, through one tunnel, under the name that its certificate has for it. */
export async function openPrometheus(): Promise<Prometheus> {
  const ca = await readFile(caPath(), 'utf8')
  const tunnel = await forward('palisade-monitoring', 'prometheus-palisade-0', 9090)
  const agent = new Agent({ connect: { ca, servername: 'localhost' } })
  const ask = async <T>(path: string): Promise<T> => {
    const answer = await request(`https://127.0.0.1:${tunnel.port}/api/v1${path}`, {
      dispatcher: agent,
      signal: inTime(),
    })
    const { data, error } = (await answer.body.json()) as { data: T; error?: string }
    if (error !== undefined) throw new Error(error)
    return data
  }
  return {
    query: async (expr) =>
      (await ask<{ result: Sample[] }>(`/query?query=${encodeURIComponent(expr)}`)).result,
    alerts: async () => (await ask<{ alerts: ActiveAlert[] }>('/alerts')).alerts,
    async close() {
      await agent.close()
      tunnel.stop()
    },
  }
}
