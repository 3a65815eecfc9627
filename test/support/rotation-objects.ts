/** A SecretRotation with times short enough for a test; a case names what it cares about. */
export const secretRotation = (
  name: string,
  pair: string,
  change: {
    readonly namespace?: string
    readonly overlap?: Readonly<Record<string, string>>
    readonly spec?: Readonly<Record<string, unknown>>
    readonly path?: string
    readonly annotations?: Readonly<Record<string, string>>
  } = {},
) => ({
  apiVersion: 'palisade.dev/v1alpha1',
  kind: 'SecretRotation',
  metadata: {
    name,
    namespace: change.namespace ?? 'shop',
    ...(change.annotations ? { annotations: change.annotations } : {}),
  },
  spec: {
    source: {
      postgresRole: {
        connectionRef: { name: 'main' },
        roles: [`${pair}_a`, `${pair}_b`],
        memberOf: pair,
      },
    },
    store: { path: change.path ?? `${name}/db` },
    secret: { name: `${name}-db` },
    schedule: { every: '720h' },
    overlap: { min: '0s', max: '1h', quiet: '0s', ...change.overlap },
    consumers: { restart: { coalesce: '0s' } },
    ...change.spec,
  },
})
