import * as k8s from '@pulumi/kubernetes'
import * as pulumi from '@pulumi/pulumi'
import type { StackConfig } from '../config/schema.ts'
import { NAMESPACES, PORTS, SECRETS, tlsSecret } from '../names.ts'
import { redisConfig } from '../redis/config.ts'
import { redisStatefulSet } from '../redis/stateful-set.ts'
import { serviceNames } from '../workload/certificate.ts'
import { digest } from '../workload/digest.ts'
import { selectorOf } from '../workload/labels.ts'
import { BootstrapJob } from './bootstrap-job.ts'
import { Certificate } from './certificate.ts'

export interface RedisArgs {
  readonly image: string
  readonly controlImage: string
  readonly storage: string
  readonly storageClass?: string
  readonly apiServer: StackConfig['cluster']['apiServer']
}

/** Valkey with TLS alone; its users are made inside the cluster by a Job, as digests. */
export class Redis extends pulumi.ComponentResource {
  constructor(name: string, args: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
    super('palisade:platform:Redis', name, {}, opts)
    const { data, system } = NAMESPACES
    const service = 'palisade-redis'
    const certificate = new Certificate(
      tlsSecret('redis'),
      {
        namespace: data,
        secretName: tlsSecret('redis'),
        commonName: service,
        dnsNames: [service, ...serviceNames(service, data)],
        usages: ['server auth', 'client auth'],
        readOnce: true,
      },
      { parent: this },
    )
    const users = new BootstrapJob(
      'redis-users',
      {
        namespace: system,
        image: args.controlImage,
        args: ['bootstrap', 'redis-users'],
        secrets: { [system]: SECRETS.gatewayRedis, [data]: SECRETS.redisAcl },
        apiServer: args.apiServer,
      },
      { parent: this },
    )
    const text = redisConfig()
    const config = new k8s.core.v1.ConfigMap(
      name,
      { metadata: { name: 'redis', namespace: data }, data: { 'redis.conf': text } },
      { parent: this },
    )
    new k8s.core.v1.Service(
      name,
      {
        metadata: { name: service, namespace: data, labels: selectorOf('redis') },
        spec: {
          selector: selectorOf('redis'),
          ports: [{ name: 'redis', port: PORTS.redis, targetPort: PORTS.redis }],
        },
      },
      { parent: this },
    )
    new k8s.apps.v1.StatefulSet(
      name,
      {
        metadata: { name: service, namespace: data },
        spec: redisStatefulSet({ ...args, configDigest: digest(text) }),
      },
      { parent: this, dependsOn: [certificate, users, config] },
    )
    this.registerOutputs({})
  }
}
