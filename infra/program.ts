import { readFileSync } from 'node:fs'
import * as k8s from '@pulumi/kubernetes'
import type * as pulumi from '@pulumi/pulumi'
import { AppNamespace } from './components/app-namespace.ts'
import { CertificateAuthority } from './components/certificate-authority.ts'
import { Connections } from './components/connections.ts'
import { ControlPlane } from './components/control-plane.ts'
import { Edge } from './components/edge.ts'
import { ExistingPostgres } from './components/existing-postgres.ts'
import { Migration } from './components/migration.ts'
import { Monitoring, type MonitoringArgs } from './components/monitoring.ts'
import { Namespace } from './components/namespace.ts'
import { OpenBao } from './components/openbao.ts'
import { OperatorAccess } from './components/operator-access.ts'
import { Operators } from './components/operators.ts'
import { PlatformRotations } from './components/platform-rotations.ts'
import { Postgres } from './components/postgres.ts'
import { Redis } from './components/redis.ts'
import type { StackConfig } from './config/schema.ts'
import { NAMESPACES, tlsSecret } from './names.ts'
import { wantedCharts } from './operators/charts.ts'

const BOOTSTRAP_SQL = new URL('../gateway/store/bootstrap.sql', import.meta.url)

const HOST_PORTS =
  'The edge opens two ports of its node, which Pod Security forbids below privileged. Its pods ask for nothing else.'

export interface PlatformOutputs {
  readonly gatewayUrl: string
  readonly namespaces: readonly string[]
}

/**
 * The platform in the order in which trust comes to exist; no arrow points backwards. Each step names what
 * it waits for, and whatever is not named starts at once.
 */
export const platform = (
  config: StackConfig,
  { ruleGroups, dashboards }: Pick<MonitoringArgs, 'ruleGroups' | 'dashboards'>,
): PlatformOutputs => {
  const { images, cluster } = config
  const { apiServer, dnsCidrs } = cluster
  const storage = cluster.storageClass === undefined ? {} : { storageClass: cluster.storageClass }
  const { existing } = config.postgres
  const after = (...dependsOn: pulumi.Resource[]) => ({ dependsOn })

  const charts = wantedCharts(config)
  const operators = charts.length > 0 ? [new Operators('operators', { charts })] : []
  const namespaces = Object.values(NAMESPACES)
    .filter((name) => config.monitoring.enabled || name !== NAMESPACES.monitoring)
    .map(
      (name) =>
        new Namespace(
          name,
          {
            dnsCidrs,
            ...(name === NAMESPACES.edge && config.edge.exposure === 'HostPort'
              ? { exception: HOST_PORTS }
              : {}),
          },
          after(...operators),
        ),
    )
  const connections = new Connections(
    'connections',
    {
      monitoring: config.monitoring.enabled,
      ownDatabase: existing === undefined,
      storeNodes: config.openbao.replicas,
    },
    after(...namespaces),
  )
  const authority = new CertificateAuthority('palisade-ca', after(...namespaces))
  const ground = after(...namespaces, connections, authority)

  const openbao = new OpenBao(
    'openbao',
    {
      image: images.openbao,
      controlImage: images.control,
      apiServer,
      ...config.openbao,
      existingDatabase: existing !== undefined,
      ...storage,
    },
    ground,
  )
  const redis = new Redis(
    'redis',
    {
      image: images.valkey,
      controlImage: images.control,
      apiServer,
      storage: config.redis.storage,
      ...storage,
    },
    ground,
  )
  const database = existing
    ? new ExistingPostgres(
        'database',
        { image: images.control, existing },
        after(...ground.dependsOn, openbao),
      )
    : ownDatabase(config, storage, ground)

  const publicPort = config.edge.publicPort === 443 ? '' : `:${config.edge.publicPort}`
  const publicUrl = `https://${config.edge.hosts[0] ?? ''}${publicPort}`
  const operator = new ControlPlane(
    'operator',
    { config, stage: 'operator', publicUrl, startsAfter: [openbao, database] },
    ground,
  )
  const access = new OperatorAccess(
    'operator-access',
    { namespace: NAMESPACES.system },
    after(operator),
  )
  const rotations = new PlatformRotations(
    'platform-rotations',
    { postgres: config.postgres },
    after(operator, access),
  )
  const services = new ControlPlane(
    'services',
    { config, stage: 'services', publicUrl, startsAfter: [rotations, redis] },
    ground,
  )
  const edge = new Edge(
    'edge',
    { image: images.nginx, edge: config.edge, startsAfter: [services] },
    ground,
  )

  if (config.monitoring.enabled) {
    new Monitoring(
      'monitoring',
      {
        images,
        retention: config.monitoring.retention,
        ownDatabase: existing === undefined,
        apiServer,
        ruleGroups,
        dashboards,
        ...storage,
      },
      ground,
    )
  }
  openForTeams(config, [openbao, operator])
  return { gatewayUrl: edge.url, namespaces: Object.values(NAMESPACES) }
}

/** Our own database, and its schema at the version of the image. */
const ownDatabase = (
  { images, postgres, cluster }: StackConfig,
  storage: { readonly storageClass?: string },
  ground: pulumi.ComponentResourceOptions,
): Migration => {
  const server = new Postgres(
    'postgres',
    {
      image: images.postgres,
      postgres,
      apiServer: cluster.apiServer,
      bootstrapSql: readFileSync(BOOTSTRAP_SQL, 'utf8'),
      podCidrs: cluster.podCidrs,
      ...storage,
    },
    ground,
  )
  return new Migration('migrate', { image: images.control }, { dependsOn: [server] })
}

/** Namespaces of teams exist already; here they opt in. */
const openForTeams = (config: StackConfig, dependsOn: pulumi.Resource[]): void => {
  if (config.appNamespaces.length === 0) return
  const onboarder = new k8s.core.v1.ServiceAccount(
    'onboarder',
    {
      metadata: { name: 'onboarder', namespace: NAMESPACES.system },
      automountServiceAccountToken: false,
    },
    { dependsOn },
  )
  for (const namespace of config.appNamespaces) {
    new AppNamespace(
      `app-${namespace}`,
      { namespace, controlImage: config.images.control, caSecret: tlsSecret('operator') },
      { dependsOn: [...dependsOn, onboarder] },
    )
  }
}
