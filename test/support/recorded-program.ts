import { setTimeout as sleep } from 'node:timers/promises'
import * as pulumi from '@pulumi/pulumi'
import { parseStackConfig } from '../../infra/config/parse.ts'
import { IMAGE_NAMES, type StackConfig } from '../../infra/config/schema.ts'

/** A resource as the program asked for it, with the moments at which it began and was done. */
export interface Registered {
  readonly type: string
  readonly name: string
  readonly inputs: Record<string, unknown>
  readonly begun: number
  readonly done: number
}

export const exampleStack = (over: Readonly<Record<string, unknown>> = {}): StackConfig =>
  parseStackConfig({
    profile: 'dev',
    images: Object.fromEntries(IMAGE_NAMES.map((name) => [name, `palisade.local/${name}:1`])),
    cluster: {
      apiServer: { cidrs: ['10.250.0.1/32'], port: 6443 },
      podCidrs: ['10.244.0.0/16'],
    },
    openbao: { seal: 'static' },
    edge: { exposure: 'HostPort', hosts: ['api.palisade.localhost'], publicPort: 8443 },
    appNamespaces: ['shop'],
    ...over,
  })

/** Runs the whole program against an engine that takes its time and writes everything down. */
export async function recordProgram(config: StackConfig): Promise<readonly Registered[]> {
  const registered: Registered[] = []
  let clock = 0
  await pulumi.runtime.setMocks({
    newResource: async ({ name, type, inputs }) => {
      const begun = clock++
      await sleep(3)
      const given = inputs as Record<string, unknown>
      registered.push({ type, name, inputs: given, begun, done: clock++ })
      return { id: name, state: given }
    },
    call: ({ token }) => {
      throw new Error(`the program asks the provider while planning: ${token}`)
    },
  })
  const { platform } = await import('../../infra/program.ts')
  const { alertGroups } = await import('../../observability/alerts.ts')
  const { dashboardFiles } = await import('../../observability/dashboard-files.ts')
  const ownDatabase = config.postgres.existing === undefined
  platform(config, { ruleGroups: alertGroups({ ownDatabase }), dashboards: dashboardFiles() })
  await pulumi.runtime.disconnect()
  return registered
}
